"""Words for a single writer, by language."""

from __future__ import annotations

import re

FIRST_PERSON = re.compile(
    r"\b(?:i|i'm|i've|i'd|my|me|mine|ich|mir|mich|mein|meine|meinem|meinen|meiner|je|j'\w+|moi|mon|ma|mes|yo|mi|mis|eu|meu"
    r"|minha|io|mio|mia|ik|mij|mijn|mój|moje|moja|moją|mnie|chcę)\b",
    re.IGNORECASE,
)
"""Receipts and disclaimers are written by "us", so these words make a text the customer's."""

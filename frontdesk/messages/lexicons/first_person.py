"""Words for a single writer, by language."""

from __future__ import annotations

import re

FIRST_PERSON = re.compile(
    r"\b(?:(?-i:I)|i'm|i've|i'd|i'll|my|me|mine|ich|mir|mich|mein|meine|meinem|meinen|meiner|j'\w+|moi|mon|yo|mi|mis|eu|meu"
    r"|je (?:suis|veux|voudrais|souhaite|ne|n'|peux|dois|vous|me|reste)|minha|io|mio|mia|ik|mij|mijn|mój|moje|moja|moją"
    r"|mnie|chcę)\b",
    re.IGNORECASE,
)
"""Receipts and disclaimers are written by "us", so these words make a text the customer's.

Words that are ordinary in another language are left out ("i", "ma", "mes").
"""

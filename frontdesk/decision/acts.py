"""What follows from the act of a message that is no request: an automated mail, or a mail without text of its own."""

from __future__ import annotations

import dataclasses

from frontdesk.types import Understanding

ACT_URGENCY = "low"
"""Urgency of a message that is no request."""


def without_intent(understanding: Understanding) -> Understanding:
    """`understanding` with the intent out of scope: its label stays the best guess, but does not count."""
    return dataclasses.replace(understanding, intent=dataclasses.replace(understanding.intent, in_scope=False))

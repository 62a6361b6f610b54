# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Phrases about the subject of a mail, by language."""

from __future__ import annotations

import re

POINTER = re.compile(
    r"(?:(?:please |pls )?(?:see|as per|cf\.?) (?:the )?(?:subject|title|above)(?: line)?|(?:siehe|s\.|wie im|steht im) (?:betreff|titel|oben)|(?:voir|cf\.?) (?:l'|le )?(?:objet|sujet|titre)"
    r"|(?:ver|véase) (?:el )?asunto|ver (?:o )?assunto|(?:vedi|vedere) (?:l')?oggetto|zie (?:het )?onderwerp|(?:jak w|patrz) (?:temat|tytuł)\w{0,3})[.!]*",
    re.IGNORECASE,
)
"""A text that says only where to look: "see subject"."""
REPLY = re.compile(
    r"(?:re|aw|antw|sv|vs|odp|r|tr|fw|fwd|wg|rv|enc|res|ynt|ilt|vl|doorst|pd|i)\s?(?:\[\d+\])?\s?:", re.IGNORECASE
)
"""The prefix of a subject that a mail program wrote: the subject repeats an earlier one."""

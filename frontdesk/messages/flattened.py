"""Find quoted history in text whose line breaks were lost, as exports and chat widgets produce it.

    "Great, thanks! On Tue, 10 Mar 2026 at 09:14, Shop <help@shop.example> wrote: > Dear customer, ..."

Only headers with an address, a block of fields or a marker count here, because they stand in the middle of sentences.
"""

from __future__ import annotations

import re

from frontdesk.messages.lines import Lines
from frontdesk.types.message import PartKind

MIN_LINE = 80
MAX_LOOK_BACK = 220
MAX_HEADER_BLOCK = 420


def mark_flattened_history(lines: Lines) -> None:
    """Split a line at the header of quoted history inside it, and mark everything from there on."""
    for index in lines.undecided():
        start, end = lines.starts[index], lines.starts[index + 1]
        if end - start < MIN_LINE:
            continue
        position = _history_start(lines.text, start, end)
        if position is not None:
            if position > start:
                lines.split_all([(index, position)])
                index += 1
            lines.mark(index, len(lines), PartKind.QUOTATION)
            return


def _history_start(text: str, start: int, end: int) -> int | None:
    """The offset of the header of quoted history inside a line."""
    positions = []
    match = _ADDRESS_WROTE.search(text, start, end) if text.find("@", start, end) >= 0 else None
    if match:
        starters = list(_STARTER.finditer(text, max(start, match.start() - MAX_LOOK_BACK), match.start()))
        if starters:
            positions.append(starters[-1].start())
    match = _SENT_LABEL.search(text, start, end) if text.count(":", start, end) >= 3 else None
    if match:
        senders = list(_FROM_LABEL.finditer(text, max(start, match.start() - MAX_LOOK_BACK), match.start()))
        if senders and _SUBJECT_LABEL.search(text, match.end(), min(end, match.end() + MAX_HEADER_BLOCK)):
            positions.append(senders[-1].start())
    match = _MARKER.search(text, start, end) if text.find("---", start, end) >= 0 else None
    if match:
        positions.append(start + len(text[start : match.start()].rstrip("-")))
    return min(positions, default=None)


_WROTE_AFTER = (
    r"(?:wrote|writes|a écrit|escribió|escreveu|ha scritto|napisał(?:\(a\)|a)?|skrev|het volgende geschreven)"
)
_ADDRESS_WROTE = re.compile(
    rf"[<(\[][^<>()\s@]{{1,64}}@[^<>()\s]{{1,100}}[>)\]],? {_WROTE_AFTER}\s?:"
    r"|\b(?:schrieb|schreef|skrev) [^<>:]{1,80}<[^<>\s@]{1,64}@[^<>\s]{1,100}>\s?:"
)
_STARTER = re.compile(r"(?:(?<=\s)|^)(?:On|Am|Le|El|Em|Il|Op|W dniu|Den|Dnia|pon|wt|śr|czw|pt|sob|niedz)\b[., ]")
_FROM_LABEL = re.compile(r"(?:(?<=\s)|^)\*?(?:From|Von|De|Da|Van|Od|Från|Fra)\s?:\*?\s")
_SENT_LABEL = re.compile(
    r"\s\*?(?:Sent|Gesendet|Envoyé(?: le)?|Enviado(?: el| em)?|Enviada(?: em)?|Inviato|Verzonden|Wysłano|Skickat"
    r"|Date|Datum|Fecha|Data)\s?:\*?\s"
)
_SUBJECT_LABEL = re.compile(r"\s\*?(?:Subject|Betreff|Objet|Asunto|Assunto|Oggetto|Onderwerp|Temat|Ämne|Emne)\s?:")
_MARKER = re.compile(
    r"---? ?(?:Original Message|Forwarded message|Ursprüngliche Nachricht|Weitergeleitete Nachricht|Message d'origine"
    r"|Message transféré|Mensaje original|Mensaje reenviado|Mensagem original|Mensagem encaminhada"
    r"|Messaggio originale|Messaggio inoltrato|Oorspronkelijk bericht|Doorgestuurd bericht|Wiadomość oryginalna) ?---",
    re.IGNORECASE,
)

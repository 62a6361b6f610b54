"""References of a business: order, invoice and tracking numbers, and numbers of accounts and customers.

Not known: which of two readings of a bare number is right (long ones are masked, as ORDER).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from frontdesk.security.masking.amounts import CODES
from frontdesk.security.masking.spans import START, Found

_TOKEN = re.compile(
    rf"{START}(?<![^\W_]-)(?:(?:19|20)\d\d/\d{{3,6}}(?![^\W_])|[A-Z]{{1,5}}(?:[-/]\d{{2,8}}){{2,3}}(?![^\W_])|(?:[^\W\d_]++(?:-[^\W\d_]++)*+-?)?+\d[^\W_]*+(?:-[^\W_]++)*+(?:(?:/(?:19|20)\d\d|(?<=\d{{4}})/\d\d)(?![^\W_/]))?)"
)
_CODE = re.compile(
    r"(?!0x)"
    rf"(?!(?:{CODES})\d+\Z)"
    r"(?:.*\d{6}|\d{5,}-[a-z]\Z|[a-z]{1,4}-?\d{5}|[a-z]{1,4}(?:[-/]\d+){2}"
    r"|(?:order|ord|inv|invoice|po|rma|ref|trk|tkt|ticket|so|case)-?\d{3})",
    re.IGNORECASE,
)
_LOCATOR = re.compile(r"(?=[A-Z\d]{0,7}[A-Z])[A-Z\d]{5,8}")
"""As airlines and hotels give bookings: capitals with a digit among them. Counts after a word that names it."""
_PARCEL = re.compile(rf"{START}[A-Z]{{2}} ?\d{{3}} ?\d{{3}} ?\d{{3}} ?[A-Z]{{2}}(?![^\W_])")
_PARCEL_END = re.compile(r"\d{3} ?[A-Z]{2}(?![^\W_])")
_JOINT = re.compile(r"\s*(?:,|and|&|or|/|\+|und|oder|et|ou|y|o|e)\s*#?|\s*#")
_NAMED_WITHIN = 40
_REFERENCE = re.compile(
    r"orders?(?:'s|-?number)?|purchases?|invoices?|receipts?|tracking|track|parcels?|packages?|shipments?|bookings?"
    r"|reservation|tickets?|case|request|ref(?:erence|\.)?|confirmation|transaction|voucher|rma|cancel|cancell?ing"
    r"|bestellung|(?:be|nach)?stell(?:nummer|-?nr\.?)|auftr[aä]ge?s?|(?:auftrags|rechnungs|sendungs|paket|ticket|liefer"
    r"|vorgangs|referenz|buchungs|reservierungs|retouren|bestell)-?(?:nummer|nr\.?)|rechnung|sendung|paket|vorgang|buchung"
    r"|lieferschein|commandes?|facture|colis|suivi|réservation|dossier|référence|réf\.?|pedidos?|factura|envío|reserva"
    r"|sinistres?|siniestro|sinistro|expediente|aktenzeichen|schaden(?:s|fall)?-?(?:nummer|nr\.?)?|localizador|locator|pnr|application|quot(?:e|ation)"
    r"|(?:order|bestel|factuur|pakket|zending|boekings?|reserverings?)-?(?:nummer|nr\.?|code)|boeking|reservering|reservierung|\w{2,20}(?:referenz|vorgangs|schaden|auftrags)nummer"
    r"|complaints?|claim|incident|reklamation|réclamation|reclamación|reclamo|incidencia|bestelling|factuur|zending|pakket|beställning|faktura|paquete|seguimiento|referencia|ordin[ei]|fattura|spedizione|pacco|tracciamento|prenotazione|pratica|riferimento"
)
_ACCOUNT = re.compile(
    r"(?:account|acct\.?|acc\.?|a/c|customer|client|member(?:ship)?|contract|policy|loyalty|user|konto|kunden?|vertrags?"
    r"|mitglieds?|versicher(?:ungs|ten)|benutzer|compte|adhérente?s?|adhésion|contrat|fidélité|cuenta|cliente|socio|contrato|póliza|abonado"
    r"|\w{2,20}konto|abo|subscription|abonnement|abono|abbonamento|klant|kund|lid|conto|contratto|tessera|polizza|polis|police|utenza|abonné)(?:-?(?:nummer|nr\.?|number|id))?|kd\.?-?nr\.?"
)
_NUMBER_WORD = re.compile(
    r"numbers?,?|no\.?|(?:nr|num)\.?|id|code|ref(?:erence|\.)?|n\.?[°ºo.]?\.?|nummer|numéro|número|numero|núm\.?"
)
_NUMBER_ALONE = re.compile(r"number|(?:no|nr|num)\.")
_LINK = re.compile(r"is|are|was|were|ist|lautet|est|es|è|de|di|del|bancaria|bancaire|corrente|client")
_SPEAKER = frozenset("customer client user kunde kundin cliente clienta klant kund".split())
_ELIDED = re.compile(r"\A(?:d|l|dell|all|nell|sull)['’]")
_MIN_DIGITS = 3


def parcels(text: str) -> Iterator[Found]:
    """Tracking numbers of the Universal Postal Union (S10): "RM 447 120 993 GB"."""
    if _PARCEL_END.search(text):
        for found in _PARCEL.finditer(text):
            yield *found.span(), "ORDER"


def references(text: str) -> Iterator[Found]:
    """Order, invoice, tracking and account numbers, and whatever else looks like an identifier.

    A short number counts when a word before it says what it is, or when it follows one that was so named ("orders
    48213 and 48214"). A value named once is masked wherever else it stands.
    """
    tokens = [found.span() for found in _TOKEN.finditer(text)]
    taken: dict[str, str] = {}
    named_until, named_kind = -1, "ORDER"
    for start, end in tokens:
        token = text[start:end]
        digits = sum(map(str.isdigit, token))
        locator = _LOCATOR.fullmatch(token) is not None
        if digits < _MIN_DIGITS and not locator:
            continue
        needed, kind = _named(text[max(0, start - _NAMED_WITHIN) : start], token)
        joined = named_until >= 0 and digits > _MIN_DIGITS and _JOINT.fullmatch(text, named_until, start)
        if needed and (locator or digits >= needed):
            named_until, named_kind = end, kind
            taken.setdefault(token, kind)
        elif joined:
            named_until = end
            taken.setdefault(token, named_kind)
        elif _CODE.match(token):
            taken.setdefault(token, "ORDER")
    for start, end in tokens:
        if kind := taken.get(text[start:end], ""):
            yield start, end, kind


def _named(before: str, token: str) -> tuple[int, str]:
    """How many digits make `token` a reference, given the words before it, and which; 0 where they do not name one.

    Three after '#', after 'order number', or in 'A-771' after 'order'; a plain number needs four after 'order', and
    five after 'number' or 'no.' alone.
    """
    certain = token[0].isalpha() or before.endswith("#")
    alone = _MIN_DIGITS if before.endswith("#") else 0
    said_by, colon = "", False
    for written in reversed(before.lower().split()):
        word = _ELIDED.sub("", written.strip("#:=([\"'_,?¿"))
        says, colon = colon or written.endswith(":"), written == ":"
        if says and word in _SPEAKER and "\n" in before:
            said_by = "ACCOUNT"
            continue
        kind = "ORDER" if _REFERENCE.fullmatch(word) else "ACCOUNT" if _ACCOUNT.fullmatch(word) else ""
        if word and kind:
            sure = certain or "nummer" in word or word.endswith(("nr", "nr."))
            return (_MIN_DIGITS if sure else _MIN_DIGITS + 1), kind
        if _NUMBER_WORD.fullmatch(word):
            certain = True
            alone = alone or (_MIN_DIGITS + 2 if _NUMBER_ALONE.fullmatch(word) else 0)
        elif word and not _LINK.fullmatch(word) and not (said_by and word[0].isdigit()):
            break
    if said_by:
        return _MIN_DIGITS + 1, said_by
    return alone, "ORDER"

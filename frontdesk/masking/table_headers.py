# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Header lines of tables, whose words look like names: "Art.-Nr.  Bezeichnung  Stk  Preis"."""

from __future__ import annotations

from frontdesk.masking.lexicons.given_names import GIVEN_NAMES
from frontdesk.masking.spans import WORD

_COLUMN_WORDS = frozenset(
    """
    pos position art artikel artikelnummer artikelnr bezeichnung beschreibung stk stück menge anzahl einheit preis einzelpreis gesamtpreis
    stückpreis betrag summe gesamt netto brutto mwst ust steuer rabatt datum status farbe größe lieferdatum rechnung bestellung nr nummer
    item article product description details qty quantity unit units price amount total subtotal net gross vat tax discount date status
    sku ref reference color colour size weight currency order invoice number no id name type category
    réf référence désignation libellé article qté quantité prix unitaire montant remise tva ht ttc date statut couleur taille numéro
    descripción artículo cant cantidad precio unitario importe total iva descuento fecha estado color talla número referencia
    descrizione articolo qtà quantità prezzo unitario importo totale iva sconto data stato colore taglia numero riferimento
    omschrijving artikel aantal prijs bedrag totaal btw korting datum kleur maat nummer beskrivning antal pris belopp summa moms rabatt färg
    """.split()
)


def is_table_header(text: str, start: int, end: int) -> bool:
    """Return whether `text[start:end]` is part of a table header.

    At least half of its words and two words of its line are column names, and none of its words is a given name.
    """
    own = WORD.findall(text[start:end].lower())
    columns = sum(word in _COLUMN_WORDS for word in own)
    if not columns or 2 * columns < len(own) or not GIVEN_NAMES.isdisjoint(own):
        return False
    line_end = text.find("\n", end)
    line = text[text.rfind("\n", 0, start) + 1 : line_end if line_end >= 0 else len(text)]
    return sum(word in _COLUMN_WORDS for word in WORD.findall(line[:400].lower())) >= 2

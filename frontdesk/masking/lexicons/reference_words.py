# ruff: noqa: E501  -- lists and patterns read better unbroken
"""The words that say what a number is: an order, an account, neither; in five languages, with Dutch and Swedish."""

from __future__ import annotations

import re

ORDER = frozenset(
    """
    order orders order's ordernumber ordernr purchase purchases invoice invoices receipt receipts tracking track parcel parcels
    package packages shipment shipments consignment delivery booking bookings reservation ticket tickets e-ticket case
    request ref refs reference references confirmation transaction voucher rma cancel canceling cancelling complaint
    complaints claim claims incident job quote quotation estimate deposit tag return returns dispute exchange enquiry inquiry
    agreement rental imei iccid waybill awb pnr itinerary locator application po repair

    bestellung bestellungen bestell auftrag auftrags aufträge auftrages rechnung rechnungen rechnungs sendung
    sendungen paket pakete vorgang vorgangs buchung buchungs buchungscode reservierung lieferschein lieferung beleg angebot
    schaden schadens schadenfall schadensfall schadenmeldung retoure umtausch gutschrift mahnung aktenzeichen az mandatsreferenz
    referenz reklamation bon quittung meldung störung stornierung

    commande commandes cmd facture factures colis suivi réservation dossier référence réf sinistre devis avoir
    bordereau réclamation bon reçu billet échange demande livraison plainte expédition retour

    pedido pedidos factura facturas envío reserva localizador expediente siniestro incidencia referencia reclamación
    reclamo paquete seguimiento presupuesto albarán billete recibo denuncia devolución cambio guía radicado folio

    ordine ordini fattura fatture spedizione pacco tracciamento prenotazione pratica riferimento rif sinistro
    segnalazione preventivo bolla ricevuta scontrino denuncia fatture reclamo biglietto reso

    bestelling bestellingen factuur facturen zending pakket schade boeking reservering offerte klacht melding referentie kenmerk

    beställning faktura paket skada bokning ärende order kvitto försändelse fakturan fakturor ordern paketet bokningen skadan ärendet
    """.split()
)
"""A business gives such a number to what was bought, sent, claimed or asked."""

ACCOUNT = frozenset(
    """
    account accounts acct acc customer client member membership contract policy policies loyalty user
    subscription sub certificate merchant permit patient loan mortgage pension plan flyer miles tenant tenancy workspace org organisation organization roll routing
    aba subscriber rewards

    konto kunde kundin kunden vertrag vertrags vertrages mitglied mitglieds versicherung versicherungs police policen
    versicherungsschein vertragskonto benutzer benutzerkonto kundenkonto bonuskarte kundenkarte darlehen depot abo abonnement
    versicherten versichertennummer

    compte adhérent adhérente adhésion contrat fidélité police mutuelle abonné abonnée abonnement prêt assuré allocataire
    sociétaire identifiant

    cuenta cliente socio socia contrato póliza abonado abonada abono suscripción préstamo

    conto contratto tessera polizza utenza abbonamento mutuo

    klant lid polis rekening lidmaatschap verzekering

    kund konto försäkring avtal abonnemang medlem lån kontot avtalet försäkringen
    """.split()
)
"""A business gives such a number to a person, who keeps it."""

ALL = ORDER | ACCOUNT | {"kd"}

SPEAKER = frozenset(
    """
    customer client user kunde kundin cliente clienta klant kund member patient tenant mitglied socio socia lid medlem
    """.split()
)
"""Words for the person too: what follows need not be a number of an account."""

CODED = frozenset(
    """
    booking bookings reservation ref refs reference confirmation pnr itinerary locator application ticket e-ticket buchung buchungs
    buchungscode reservierung réservation dossier référence réf billet localizador reserva referencia
    prenotazione rif riferimento biglietto auftrag auftrags auftragsnummer boeking reservering bokning voucher
    """.split()
)
"""What is also named by six letters and digits, as flights are."""

REFERRING = frozenset("ref refs reference references referenz réf référence referencia riferimento rif id".split())
"""Words after which the word before tells better: "policy ref"."""

_COMPOUND = re.compile(r"(\w{2,30}?)-?(?:nummern?|numret|nr|id|konto|code)")
_ENDINGS = ("nummer", "nummern", "numret", "nr", "id", "konto", "code")
_ACCOUNT_ENDINGS = ("vertrag", "konto", "police", "versicherung")
_ALL_ENDINGS = (*_ENDINGS, *_ACCOUNT_ENDINGS)
_OF_A_PERSON = re.compile(
    r".*(?:kunden?|kund|klant|vertrags?|avtals|mitglieds?|medlems|lid|versicher\w*|försäkrings|kd|police[nr]?|polis|konto|rekening"
    r"|benutzer|teilnehmer|darlehens?|kredit|abo|depot|mandanten|mieter|patienten)"
)
_OF_A_THING = re.compile(
    r".*(?:telefon|ruf|handy|mobil|mobiel|fax|haus|huis|artikel|modell?|typ|ahv|sv|rv|serien?|seiten|zähler|zimmer|platz|raum|steuer|ausweis"
    r"|pass|führerschein|rijbewijs|körkorts|sozial\w*|renten\w*|ident\w*|person|burgerservice|post|fehler|error|fout|geräte|teile|größen?|barcode|postal|zip|promo\w*"
    r"|gutschein|rabatt|pin|geheim|version\w*|charge[n]?|fahrgestell\w*|organisations)"
)


TRAVEL = frozenset(
    "flight train flug zug bahn vol vuelo tren volo treno vlucht trein flyg tåg code código codice kode".split()
)
"""Announce a code of six letters and digits, and no other number."""

_ANNOUNCING = ALL | TRAVEL

ELSE = frozenset(
    """
    phone telephone mobile cell tel landline fax whatsapp handy mobil telefon festnetz téléphone portable teléfono móvil
    telefono cellulare telefoon mobiel passport licence license ssn nino tax passeport permis pasaporte passaporto paspoort
    zip postcode plz pin tan cvv error fehler erreur fout size model modell modèle modelo modello version article artikel
    item serial house hausnummer room zimmer page seite line row
    """.split()
)
"""Words whose numbers are for somebody else to find, or for nobody, whatever stands before them."""

LINK = frozenset(
    """
    is are was were ist war lautet est es è era de di del du des della bancaria bancaire bancario corrente client cliente card my
    meine the is: är
    """.split()
)
"""May stand between the word and its number."""

NUMBER_WORD = frozenset(
    """
    number numbers no nr nrs num id code codes n nº n° no° № nummer numéro numéros número numero núm nro nros kode
    """.split()
)
"""Says that a number follows; which, the word before it says."""


def may_name(words_in_it: frozenset[str]) -> bool:
    """Whether one of the words of a text may name a number: a quick look, before any number is looked at."""
    return not _ANNOUNCING.isdisjoint(words_in_it) or any(word.endswith(_ALL_ENDINGS) for word in words_in_it)


def kind_of(word: str) -> str:
    """ORDER or ACCOUNT where `word`, in small letters, names such a number, alone or by how it ends; else ""."""
    if word in ORDER:
        return "ORDER"
    if word in ACCOUNT:
        return "ACCOUNT"
    if word.endswith(_ACCOUNT_ENDINGS):
        return "ACCOUNT"
    compound = _COMPOUND.fullmatch(word) if word.endswith(_ENDINGS) else None
    if not compound or _OF_A_THING.fullmatch(compound[1]):
        return ""
    if _OF_A_PERSON.fullmatch(compound[1]) or word.endswith("konto"):
        return "ACCOUNT"
    return "ORDER" if not word.endswith(("id", "code")) or compound[1].rstrip("s") in ORDER else ""

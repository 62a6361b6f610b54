# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Words for the two sides of a support chat, by language. Lower case."""

from __future__ import annotations

AGENT = frozenset(
    """
    agent agents support bot chatbot assistant advisor adviser operator representative rep helpdesk service csr consultant specialist system robot ai
    mitarbeiter mitarbeiterin berater beraterin kundenservice kundendienst kundenbetreuer agentin support-team assistent
    conseiller conseillère agente service-client opérateur assistance
    soporte asesor asesora atención operador operadora asistente
    atendente suporte assistente atendimento
    operatore operatrice assistenza supporto consulente
    medewerker medewerkster klantenservice adviseur
    konsultant konsultantka obsługa doradca pracownik
    temsilci destek handläggare kundtjänst medarbejder оператор поддержка
    """.split()
)
CUSTOMER = frozenset(
    """
    customer client user visitor guest shopper buyer me consumer caller
    kunde kundin besucher besucherin nutzer nutzerin gast ich käufer käuferin
    cliente clienta cliente usuario usuaria visitante yo comprador compradora
    cliente utilisateur visiteur moi cliente acheteur acheteuse
    eu utilizador utilizadora usuário usuária
    utente visitatore io acquirente
    klant bezoeker gebruiker ik koper
    klient klientka użytkownik gość ja
    müşteri kund jag клиент
    """.split()
)
"""The label of the customer's lines."""

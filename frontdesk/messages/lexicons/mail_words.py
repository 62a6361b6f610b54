# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Words that mail clients write around quoted and forwarded mail, by language. Lower case."""

from __future__ import annotations

WROTE = frozenset(
    # en de fr es pt it nl pl sv da no fi tr cs sk hu ro ru uk el
    """
    wrote writes schrieb geschrieben écrit ecrit escribió escribio escreveu scritto scrive schreef geschreven napisał napisała napisal
    pisze skrev skriver kirjoitti yazdı yazmış yazdi napsal napsala napísal napísala írta scris написал написала пишет пише писав έγραψε
    """.split()
)
"""The verb of a reply header: "On ... Anna wrote:"."""

WROTE_UNSPACED = (
    "写道",
    "寫道",
    "书面",
    "のメール",
    "書きました",
    "さんが書い",
    "작성",
    "님이 쓴",
    "كتب",
    "כתב",
)
"""The same in scripts that do not separate the word by blanks."""

STARTERS = frozenset(
    "on am le el em il op w dnia den dne dňa în in a no na på kl am: data il: ngày pada vào tarihinde на в le: om på: fecha".split()
)
"""The first word of a reply header that begins with a date phrase."""

PRONOUNS = frozenset(
    """
    i you we he she they me us ich sie ihr wir er du mir uns ihnen euch dir je vous nous tu elle ils yo usted ustedes le les él ella eu você vocês io lei
    ik u jullie wij hij zij mij ja pan pani państwu mi jag ni jeg ben biz siz
    """.split()
)
"""A pronoun and no address make a sentence of the customer: "Am 3. März 2026 schrieb ich Ihnen:"."""

MONTHS = (
    r"(?:jan|feb|fév|fev|mar|mär|maa|apr|avr|abr|kwi|may|mai|mag|mei|maj|jun|juin|giu|cze|jul|juil|lug|lip|aug|aoû|ago|sie|sep|set|wrz"
    r"|oct|okt|out|ott|paź|nov|noi|lis|dec|dez|déc|dic|gru|sty|lut|ene|gen|oca|şub|nis|haz|tem|ağu|eyl|eki|kas|ara)"
)
WEEKDAYS = (
    r"(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim|mié|mie|jue|vie|sáb|sab|dom|seg|ter|qua|qui|sex"
    r"|gio|ma|wo|vr|za|zo|pon|wt|śr|czw|pt|sob|niedz|ndz|tis|ons|tor|fre|lör|sön|man|tir|lør|søn|pzt|sal|çar|per|cum|cmt|paz)"
)

FROM_LABELS = "from von de da van od från fra lähettäjä kimden gönderen от от_кого od: feladó de_la 发件人 寄件者 差出人 보낸사람 von:"
DATE_LABELS = (
    "date sent datum gesendet envoyé envoyé_le enviado enviado_el enviada enviada_em enviado_em data inviato verzonden wysłano wysłane "
    "skickat sendt lähetetty tarih gönderildi gönderme_tarihi fecha дата отправлено odesláno dátum trimis 发送时间 送信日時 보낸날짜 när päivämäärä"
)
TO_LABELS = "to an à a para aan do till til vastaanottaja kime alıcı кому komu címzett către 收件人 宛先 받는사람 pour"
SUBJECT_LABELS = "subject betreff objet asunto assunto oggetto onderwerp temat ämne emne aihe konu тема předmět predmet tárgy subiect 主题 主旨 件名 제목 sujet"
OTHER_LABELS = (
    "cc bcc kopie copie cópia copia kopia dw ccn cco reply-to antwort_an répondre_à responder_a responder_para rispondi_a antwoord_aan "
    "importance priorität priority attachments anlagen pièces_jointes datos_adjuntos anexos allegati bijlagen załączniki organisation "
    "message-id mime-version content-type x-mailer received return-path delivered-to"
)

FORWARDED_MARKERS = frozenset(
    line.strip()
    for line in """
    forwarded message
    begin forwarded message
    start of forwarded message
    forwarded by
    weitergeleitete nachricht
    weitergeleitete e-mail
    anfang der weitergeleiteten nachricht
    anfang der weitergeleiteten e-mail
    message transféré
    message transmis
    courriel transféré
    début du message transféré
    début du message réexpédié
    mensaje reenviado
    inicio del mensaje reenviado
    mensagem encaminhada
    mensagem reencaminhada
    início da mensagem encaminhada
    início da mensagem reencaminhada
    messaggio inoltrato
    inizio messaggio inoltrato
    doorgestuurd bericht
    begin doorgestuurd bericht
    przekazana wiadomość
    wiadomość przekazana
    treść przekazanej wiadomości
    początek przekazywanej wiadomości
    vidarebefordrat meddelande
    vidarebefordrat brev
    videresendt meddelelse
    videresendt melding
    välitetty viesti
    iletilen mesaj
    iletilmiş ileti
    пересылаемое сообщение
    přeposlaná zpráva
    továbbított üzenet
    mesaj redirecționat
    """.splitlines()
    if line.strip()
)

ORIGINAL_MARKERS = frozenset(
    line.strip()
    for line in """
    original message
    original appointment
    original e-mail
    original email
    reply message
    ursprüngliche nachricht
    originalnachricht
    original-nachricht
    original nachricht
    ursprüngliche e-mail
    message d'origine
    message original
    message initial
    mensaje original
    mensagem original
    messaggio originale
    messaggio di origine
    oorspronkelijk bericht
    origineel bericht
    oorspronkelijke bericht
    wiadomość oryginalna
    oryginalna wiadomość
    wiadomość pierwotna
    ursprungligt meddelande
    originalmeddelande
    oprindelig meddelelse
    opprinnelig melding
    alkuperäinen viesti
    orijinal mesaj
    özgün ileti
    исходное сообщение
    původní zpráva
    pôvodná správa
    eredeti üzenet
    mesaj original
    """.splitlines()
    if line.strip()
)

REPLY_ABOVE = (
    r"(?:reply|respond|write|answer)\b.{0,30}\babove (?:this|the) line|oberhalb dieser (?:linie|zeile)|über dieser (?:linie|zeile)"
    r"|au[- ]dessus de cette ligne|(?:encima|arriba) de esta línea|acima desta linha|sopra (?:questa|la) (?:riga|linea)"
    r"|boven deze (?:regel|lijn)|(?:powyżej|nad) (?:tej|tą) lini|ovanför (?:denna|den här) rad"
)
"""The line that a help desk puts above the text of its mail."""

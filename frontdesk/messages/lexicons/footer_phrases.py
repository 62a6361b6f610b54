# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Phrases of footers that devices, programs and companies append to mails, by language."""

from __future__ import annotations

import re

DEVICE = (
    r"(?:i-?(?:phone|pad|pod)\w*|android\w*|samsung|galaxy|huawei|xiaomi|redmi|oneplus|nokia|pixel|motorola|moto|sony|xperia|htc|blackberry|windows|mobile|mobiltelefon\w*"
    r"|mobil\w*|phone|smartphone\w*|tablet\w*|handy|mac|macbook|outlook|gmail|yahoo|proton ?mail|proton|mail|mailspring|spark|airmail|aol|fairphone|thunderbird|device|honor|oppo"
    r"|vivo|realme|surface|icloud|superhuman|bluemail|web\.de|gmx|t-online|freenet|telefon\w*|teléfono|móvil|celular|telemóvel|téléphone|portable|cellulare|telefonino|telefoon|gsm"
    r"|iphone'\w+|ipad'\w+|libero|orange|sfr|wp|onet|poczty|interia|seznam)"
)
_OWN = r"(?:my |a |an |the |our |meinem |meiner |mein |der |dem |einem |mon |ma |un |une |mi |el |la |meu |minha |o |a |mio |mia |il |mijn |een |de |mojego |min |mitt |telefonu |telefonu |mobil |moj\w+ )?"
DEVICE_FOOTER = re.compile(
    rf"(?:(?:e-?mail |message |nachricht |mail )?(?:sent|posted|written) (?:from|via|using|with|by) {_OWN}(?:[\w'-]+ ){{0,2}}?{DEVICE}"
    rf"|(?:gesendet|versendet|geschrieben|verschickt) (?:von|mit|via|aus|vom|über) {_OWN}(?:[\w'-]+ ){{0,2}}?{DEVICE}"
    r"|von unterwegs(?= (?:gesendet|geschrieben))|(?:sent|written) (?:on the go|while (?:mobile|travelling|on the move))"
    rf"|(?:von|vom|mit) (?:meinem|meiner|mein|unterwegs) ?(?:[\w'-]+ ){{0,2}}?{DEVICE}(?= (?:aus )?(?:gesendet|versendet|geschickt))"
    rf"|(?:diese|die) (?:nachricht|mail|e-mail) wurde (?:von|mit) {_OWN}(?:[\w'-]+ ){{0,3}}?{DEVICE}"
    rf"|envoyé (?:de|depuis|à partir d[e']|avec|d[e'])\s?{_OWN}(?:[\w'-]+ ){{0,2}}?{DEVICE}"
    rf"|enviado (?:desde|con|por|mediante|do|da|de|pelo|pela|a partir d[oea]|com|via|através d[oa]) {_OWN}(?:[\w'-]+ ){{0,2}}?{DEVICE}"
    rf"|enviada (?:do|da|de|pelo|pela|a partir d[oea]|com|via) {_OWN}(?:[\w'-]+ ){{0,2}}?{DEVICE}"
    rf"|inviato (?:da|dal|dalla|dallo|con|tramite) {_OWN}(?:[\w'-]+ ){{0,2}}?{DEVICE}"
    rf"|(?:verzonden|verstuurd|gestuurd) (?:vanaf|vanuit|met|van|via|door) {_OWN}(?:[\w'-]+ ){{0,2}}?{DEVICE}"
    rf"|wysłan[eoay] (?:z|ze|za pomocą|przez|w) {_OWN}(?:[\w'-]+ ){{0,2}}?{DEVICE}"
    rf"|(?:skickat|skickades|sendt|hentet|sänt) (?:från|fra|med|via) {_OWN}(?:[\w'-]+ ){{0,2}}?{DEVICE}"
    rf"|(?:lähetetty|odesláno (?:z|ze)|odoslané z|trimis de pe|elküldve|отправлено (?:с|из)|надіслано з|στάλθηκε από το) {_OWN}(?:[\w'-]+ ){{0,2}}?(?:{DEVICE}|\w+)"
    r"|[\w' ]{0,20}(?:iphone|ipad|android|samsung)[\w' ]{0,24}gönderildi"
    r"|(?:iphone|ipad)から送信|从我的\s?\w+\s?发送|发自我的\s?\w+|나의 (?:iphone|ipad)에서 보냄"
    r"|(?:get|holen sie sich|télécharger|télécharge[rz]|obtenez|obtenir|obtener|obtenha|obter|scarica|ottieni|download|pobierz|pobierz program|ladda ned|hent|hämta|uzyskaj) (?:o |aplikację |aplikacji )?outlook (?:for|für|pour|para|per|voor|dla|för|til)"
    r"|outlook (?:für|voor|for) (?:ios|android) (?:beziehen|downloaden|laden|ophalen))",
    re.IGNORECASE,
)
"""A line that a phone or a mail program appends. What may follow on the line is checked by `frontdesk.messages.footers`."""
DEVICE_FILLERS = frozenset(
    """
    for on with using via from and the my app ios android mobile phone smartphone tablet device mail email secure network pro max mini plus
    gesendet versendet geschickt gerät geschrieben für mit der dem aus app pour para per voor dla con com la de do da il van via na za pomocą
    iphone ipad ipod enviado gönderildi beziehen downloaden i 5g 4g lte en y e et
    """.split()
)
EXCUSES = re.compile(
    r"excuse|brevity|typo|spelling|tippfehler|rechtschreib|kürze|follow us|find us|folg|fautes|concis|erreurs|errores|brevedad|erros|brevidade|errori|brevità|typefout|beknopt|literówk|zwięzł|http",
    re.IGNORECASE,
)

ALONE = re.compile(
    r"(?:virus-?free\b|virenfrei\b|sans virus\b|(?:garanti )?sans virus\b|libre de virus|livre de vírus|privo di virus|virusvrij|wolny od wirusów|(?:this|the) e-?mail (?:has been|was) (?:checked|scanned) (?:for viruses|by)"
    r"|diese e-?mail wurde von \w+ (?:auf viren )?(?:geprüft|überprüft|antivirus)|l'absence de virus"
    r"|(?:please )?(?:consider|think of|think about|save) (?:the|our|your) (?:environment|planet|trees?)|(?:please )?(?:do you really need to print|think before you print|save paper)"
    r"|bitte (?:denken|prüfen|überlegen|schonen) sie[^.?!]{0,60}(?:umwelt|ausdruck|drucken)|(?:denken|denk) sie an die umwelt|(?:der umwelt zuliebe|schützen sie die umwelt)"
    r"|(?:avant d'imprimer|pensez à l'environnement|n'imprimez|afin de préserver l'environnement)|(?:antes de imprimir|no imprima|por favor,? (?:considere|piense en) el medio|piense en el medio ambiente|cuidemos el medio|pense no (?:meio )?ambiente|pense antes de imprimir)"
    r"|(?:prima di stampare|rispetta l'ambiente|pensa all'ambiente|non stampare)|(?:denk aan het milieu|denk aan het milieu|print deze e-?mail)|(?:zanim wydrukujesz|pomyśl o środowisku|chroń środowisko|dbaj o środowisko)"
    r"|(?:follow|find|like|visit|join) us (?:on|at)\b|connect with us|(?:folgen|besuchen|finden) sie uns (?:auf|bei)|folgt? uns (?:auf|bei)|suivez-nous|retrouvez-nous|síguenos|síganos|siga-nos|seguici|volg ons|obserwuj nas|śledź nas|följ oss|bizi takip"
    r"|(?:we process your (?:personal )?data|information on (?:how we process|data protection)|how we (?:use|process) your data|(?:informationen|hinweise) (?:zum|zur) (?:datenschutz|verarbeitung)|datenschutz(?:hinweise|erklärung)?:|protection des données|protección de datos|informação sobre proteção|informativa (?:sulla )?privacy|privacyverklaring|informacja o przetwarzaniu|administratorem (?:pani|państwa|danych))"
    r"|you (?:don't often get email from|are receiving this (?:e-?mail|message) because|received this (?:e-?mail|message) because)|sie erhalten nicht oft e-mails? von|vous (?:n'obtenez pas souvent|recevez ce)|no suele recibir correos)",
    re.IGNORECASE,
)
"""Beginnings of footers and banners that need no further evidence."""

COMPANY = re.compile(
    r"(?:company (?:registered|registration|number|no)|registered (?:office|in (?:england|scotland|ireland|wales))|vat (?:no|number|reg|id)|(?:geschäftsführ(?:er|erin|ung|ende)|vorstand|aufsichtsrat|vorsitzender)[^:]{0,40}:"
    r"|sitz der (?:gesellschaft|firma)|registergericht|amtsgericht \w+|handelsregister|hr[ab]:? ?\d|ust-?id|steuer-?(?:nummer|nr)|siège social|rcs \w+|siret|au capital de|cif[: ]|nif[: ]|inscrita en el registro|registro mercantil|capital social"
    r"|p\.? ?iva|partita iva|sede legale|kvk|btw|nip[: ]|regon|krs[: ]|sąd rejonowy|org\.? ?nr)",
    re.IGNORECASE,
)
"""Beginnings of lines that companies must print on letters."""

BANNER = re.compile(
    r"\[?(?:external|extern[eo]?|esterno|zewnętrzn\w+)(?: (?:e-?mail|mail|sender|message|absender|nachricht|absenderin))?\s?(?:\]\s?[:!-]?|[:!])"
    r"|(?:caution|warning|achtung|attention|let op|uwaga|precaución|atención|atenção|attenzione)\s?[:!-]\s?(?:this|diese|ce|cette|deze|ta|este|esta|questa)[^.]{0,60}(?:outside|extern|externe|extérieur|buiten|zewn|fuera|fora|esterno)"
    r"|this (?:e-?mail|message|mail) (?:came|comes|originate[sd]|was (?:sent|received)|is|has come) (?:from )?(?:an? )?(?:outside|external)\b"
    r"|diese (?:e-?mail|nachricht|mail) (?:kommt|stammt|wurde) von (?:außerhalb|extern|einem externen|einer externen)"
    r"|(?:ce|cet|cette) (?:message|courriel|e-?mail|mail) (?:provient|vient|a été envoyée?) (?:de l'extérieur|d'un expéditeur externe|d'une source externe|d'une adresse externe)"
    r"|este (?:correo|mensaje|e-?mail) (?:procede|proviene|se originó|foi enviado) (?:de )?(?:fuera|fora|un remitente externo|um remetente externo)"
    r"|questa e-?mail proviene (?:dall'esterno|da un mittente esterno)|deze e-?mail (?:komt van buiten|is afkomstig van buiten)",
    re.IGNORECASE,
)
"""Beginnings of the warnings that mail gateways put above a mail. The text of the customer may follow on the next line."""

ANNOUNCED = re.compile(
    r"(?:\W{0,3}(?:confidentiality(?: notice| note| statement)?|disclaimer|legal (?:notice|disclaimer)|important notice|(?:cyber ?crime|fraud|scam|phishing) (?:alert|warning|notice)|privileged and confidential|notice of confidentiality"
    r"|(?:wichtiger|rechtlicher) hinweis|haftungsausschluss|vertraulichkeits(?:hinweis|erklärung)|avis de confidentialité|avertissement|mentions? légales?|aviso (?:legal|de confidencialidad|de privacidad|de confidencialidade|de privacidade)"
    r"|confidencialidad|confidencialidade|avviso di riservatezza|informativa(?: sulla)? privacy|nota di riservatezza|vertrouwelijkheid|klauzula poufności|nota prawna|zastrzeżenie)\b"
    r"|authori[sz]ed and regulated by|regulated by the|(?:our|unsere|nos) (?:bank (?:account )?details|bankverbindung|coordonnées bancaires) (?:will|have|do|ändert|hat|ne)"
    r"|(?:this|the|any) (?:e-?mail|message|communication|transmission|information)\b|the (?:contents|content|information)\b|if you (?:are not|have received|received|believe)|(?:the )?information (?:contained|in this)|internet communications|privacy notice"
    r"|(?:diese|die|der|dieses|dieser) (?:in dieser |inhalt |in der )?(?:e-?mail|nachricht|mail|information)|(?:sollten|wenn|falls) sie (?:nicht|diese)|(?:das unerlaubte|die unbefugte|jede unbefugte|jegliche)"
    r"|(?:ce|cet|le présent) (?:message|courriel|e-?mail|mail)|(?:si vous (?:n'êtes pas|avez reçu|recevez)|toute (?:utilisation|diffusion|publication)|l'intégrité de ce)"
    r"|(?:este|el presente|esta|la presente|a presente) (?:mensaje|correo|e-?mail|mensagem|comunicación|comunicação|transmisión)|(?:si (?:usted )?(?:no es|ha recibido|recibe|lo ha recibido)|la información contenida|se você|se não|caso (?:não|tenha)|as informações|a informação contida|le informamos|de conformidad con|en cumplimiento)"
    r"|(?:questo|il presente|questa|la presente|le informazioni) (?:messaggio|e-?mail|comunicazione|contenute)|(?:qualora|se (?:avete|ha|non siete|lo avete|hai) ?(?:ricevuto|il destinatario)?|ai sensi)"
    r"|(?:dit|deze|de informatie) (?:bericht|e-?mail|mail|in dit|verzonden)|(?:indien|als) u (?:niet|dit)|(?:ta|niniejsza|ten|treść|informacje zawarte|wiadomość) (?:wiadomość|korespondencja|e-?mail|tej|w tej|ta|jest)|jeśli nie jest|jeżeli nie|detta (?:meddelande|e-post)|denne (?:e-?mail|meddelelse))",
    re.IGNORECASE,
)
"""Beginnings of disclaimers; the paragraph needs `MIN_LEGAL_STEMS` stems of `LEGAL` too."""

LEGAL_STEMS = frozenset(
    """
    confi inten recip addre privi unaut error delet destr discl attac sende prohi unlaw liabi liabl virus copyi distr notif legal stric
    vertr adres empfä irrtü lösch verni absen unbef unerl weite anhän anlag gesta gesch besti autor
    desti exclu pièce erreu détru suppr expéd inter diffu divul joint stric
    engan elimi apaga borra borre remit remet proib prohi autor adjun anexo difus divul privi prote descl
    riser esclu error cance mitte vieta alleg divul
    vertr geadr beste ontva abusi onrec vergi verwi afzen verbo bijla openb uitsl
    poufn adres odbio omyłk pomył usuni usuną nadaw zabro załąc wyłąc rozpo ujawn
    datos perso trata derec recti supre regla datum daten verar donné trait regol garan danyc przet rodo gdpr rgpd dados direi
    konfi motta modta fortr rader avsän
    """.split()
)
"""The first five letters of the words of disclaimers."""

FIRST_WORDS = frozenset(
    # devices and mail programs
    """
    sent posted written e email mail message nachricht gesendet versendet geschrieben verschickt von vom mit diese die envoyé enviado enviada inviato verzonden
    verstuurd gestuurd wysłano wysłane wysłana wysłany skickat skickades sendt hentet sänt lähetetty odesláno odoslané trimis elküldve отправлено надіслано στάλθηκε
    we information how informationen hinweise datenschutz datenschutzhinweise datenschutzerklärung protection protección informação informativa privacyverklaring informacja administratorem
    get holen télécharger téléchargez téléchargé obtenez obtenir obtener obtenha obter scarica ottieni download pobierz ladda hent hämta uzyskaj outlook iphone ipad android samsung
    """.split()
    # banners, footers and company details
    + """
    virus virusfree virenfrei sans garanti libre livre privo virusvrij wolny this the l please consider think save do bitte denken denk der schützen avant pensez n afin antes no por
    piense cuidemos pense prima rispetta pensa non print zanim pomyśl chroń dbaj follow find like visit join connect folgen besuchen finden folgt folg suivez retrouvez
    síguenos síganos siga seguici volg obserwuj śledź följ bizi external extern externe externo esterno zewnętrzna zewnętrzny caution warning achtung attention let uwaga precaución atención atenção attenzione you sie vous
    company registered vat geschäftsführer geschäftsführerin geschäftsführung geschäftsführende vorstand aufsichtsrat vorsitzender sitz registergericht amtsgericht handelsregister hra hrb ust ustid
    steuer steuernummer steuernr orgnr siège rcs siret au cif nif inscrita registro capital p piva partita sede kvk btw nip regon krs sąd org
    """.split()
    # disclaimers
    + """
    authorised authorized regulated cyber cybercrime fraud scam phishing our unsere nos cette questa
    confidentiality confidential disclaimer legal important privileged notice any information if internet privacy wichtiger rechtlicher haftungsausschluss vertraulichkeitshinweis
    vertraulichkeitserklärung avis avertissement mention mentions aviso confidencialidad confidencialidade avviso informativa nota vertrouwelijkheid klauzula zastrzeżenie dieses dieser sollten wenn
    falls das jede jegliche ce cet le si toute intégrité este el esta la a se caso as le de en questo il qualora ai dit deze indien als ta niniejsza ten treść informacje wiadomość jeśli jeżeli detta denne
    """.split()
)
"""The first words of all phrases of this module: a line that begins with another word is no footer."""

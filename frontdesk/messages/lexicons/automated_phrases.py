# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Phrases of automated mail: absence notes, bounces and receipts, by language."""

from __future__ import annotations

import re

_INSIDE = r"(?:[^.!?\n]|\.(?=\S)|(?<=\d)\.(?!\S))"
"""A character inside a sentence: the dot of an address or a date does not end it. The alternatives exclude each other."""


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(r"[^.!?\n]", _INSIDE).replace(r"[^.!?]", _INSIDE), re.IGNORECASE)


TITLE = re.compile(
    r"(?:\[?(?:auto(?:matic|mated)?[ -]?(?:reply|response|answer|responder|mail)|autoreply|autoresponse)\]?|out[ -]of[ -](?:the[ -])?office(?: reply| autoreply| message| notification)?|ooo|away from (?:my|the) (?:desk|office)"
    r"|automatische antwort|abwesenheits(?:notiz|nachricht|assistent|benachrichtigung|meldung)|automatische abwesenheitsnotiz|autoantwort"
    r"|réponse automatique|absence du bureau|notification d'absence|message d'absence|respuesta automática|respuesta de ausencia|fuera de (?:la )?oficina|ausente de la oficina"
    r"|resposta automática|ausência (?:temporária|do escritório)|fora do escritório|risposta automatica|risponditore automatico|fuori (?:sede|ufficio)|assenza dall'ufficio"
    r"|automatisch antwoord|automatische? (?:reactie|beantwoording)|afwezigheids(?:melding|bericht|assistent)|niet aanwezig"
    r"|automatyczna odpowiedź|odpowiedź automatyczna|autoodpowiedź|nieobecność|autosvar|automatiskt svar|automatisk svar|frånvaro|fravær|automaattinen vastaus|otomatik yanıt|ofis dışında|автоответ|automatická odpověď"
    r"|undeliver(?:able|ed)(?: mail)?(?: returned to sender)?|delivery status notification(?: \(\w+\))?|mail delivery (?:failed|failure|subsystem|system|status report)(?:: returning message to sender)?|returned mail(?:: see transcript for details)?|failure notice|mail system error"
    r"|unzustellbar(?:e (?:nachricht|mail|e-mail))?|(?:message|courriel) non (?:remis|distribué|délivré)|(?:mensaje|correo) no entregado|mensagem não entregue|(?:messaggio|mail) non recapitato|onbestelbaar|niet-afgeleverd|niedostarczona wiadomość|zwrot poczty"
    r"|read|gelesen|lu|leído|lida|letto|gelezen|(?:read|return) receipt|lesebestätigung|accusé de lecture|confirmación de lectura|confirmação de leitura|conferma di lettura|leesbevestiging|potwierdzenie (?:odczytu|przeczytania)"
    r"|automatic (?:acknowledge?ment|confirmation)|eingangsbestätigung|automatische eingangsbestätigung)",
    re.IGNORECASE,
)
"""The beginning of the subject or of the first line; a colon or the end must follow."""

ABSENCE = _compiled(
    r"(?:i am|i'm|i will be|i'll be|we are|our office is|the office is|i am currently|i'm currently) (?:currently |now )?(?:out of (?:the )?office|away from (?:the|my) (?:office|desk)|on (?:annual |parental |maternity |sick |holiday )?leave|on (?:holiday|vacation|a business trip)|not in the office|out of the country|travell?ing|away|closed)"
    r"|(?:ich bin|wir sind|unser büro ist|ich befinde mich|derzeit bin ich|zurzeit bin ich|aktuell bin ich)[^.!?]{0,60}(?:nicht (?:im (?:büro|haus)|erreichbar|am arbeitsplatz)|im urlaub|abwesend|außer haus|in elternzeit|auf dienstreise|geschlossen)"
    r"|(?:je suis|je serai|nous sommes|notre bureau est|actuellement)[^.!?]{0,60}(?:absente?|en congés?|en déplacement|en vacances|fermé|hors du bureau|indisponible)"
    r"|(?:estoy|estaré|me encuentro|estamos|actualmente)[^.!?]{0,60}(?:fuera de (?:la )?oficina|de vacaciones|ausente|de baja|de viaje|cerrad)"
    r"|(?:estou|estarei|encontro-me|estamos)[^.!?]{0,60}(?:fora do escritório|de férias|ausente|de licença|em viagem|encerrad)"
    r"|(?:sono|sarò|siamo|attualmente)[^.!?]{0,60}(?:fuori (?:ufficio|sede)|in ferie|assente|in vacanza|in trasferta|chius)"
    r"|(?:ik ben|wij zijn|momenteel ben ik|op dit moment)[^.!?]{0,60}(?:afwezig|met vakantie|op vakantie|niet (?:op|in) (?:kantoor|het kantoor)|niet aanwezig|buiten kantoor|gesloten)"
    r"|(?:jestem|będę|przebywam|obecnie)[^.!?]{0,60}(?:poza biurem|na urlopie|nieobecn|niedostępn)|jag är[^.!?]{0,50}(?:på semester|inte på kontoret|frånvarande)|şu anda[^.!?]{0,50}(?:ofis dışında|izinde)",
)
ABSENCE_DETAILS = _compiled(
    r"(?:no|limited|without|intermittent) access to (?:my |the )?(?:e-?mails?|mail|inbox|messages)|(?:reply|respond|answer|get back|read your)[^.!?]{0,60}(?:when i (?:return|am back|get back)|(?:on|upon|after) my return|as soon as (?:i|possible))|in (?:urgent|very urgent) (?:cases|matters)|(?:for|if) (?:anything |your (?:matter|request) is |it is |this is )?urgent|in case of (?:urgency|emergency)|(?:please )?(?:contact|call|write to) (?:my colleague|our|the office)|(?:will|won't) be forwarded|contact:? \S+@\S+"
    r"|in dringenden (?:fällen|angelegenheiten)|wenden sie sich (?:bitte )?an|ihre (?:e-?mail|nachricht|mail)[^.!?]{0,50}(?:nicht weitergeleitet|weitergeleitet|gelesen|beantwort)|nach meiner rückkehr|(?:wieder|ab dem)[^.!?]{0,30}(?:erreichbar|im büro|für sie da)|keinen zugriff|mein(?:e|en|er)? (?:kollege|kollegin|vertretung)"
    r"|en cas d'urgence|(?:vous pouvez|merci de|veuillez) contacter|(?:à|dès) mon retour|votre (?:message|courriel|mail)[^.!?]{0,40}(?:ne sera pas|sera)|sans accès|mon collègue|ma collègue"
    r"|en caso (?:de )?urgen|(?:puede|pueden|póngase en) contact|a mi (?:regreso|vuelta)|su (?:correo|mensaje) (?:no )?será|sin acceso|mi compañer"
    r"|em caso (?:de )?urg|(?:por favor )?(?:contacte|contactar|contate)|(?:no|após o) meu regresso|quando (?:eu )?(?:voltar|regressar)|sem acesso|meu colega"
    r"|(?:per|in caso di) urgenz|(?:potete |può |si prega di |)contattare|al mio (?:rientro|ritorno)|senza accesso|il mio collega|risponderò"
    r"|(?:bij|voor|in) (?:dringende|spoedgevallen|spoed)|(?:kunt u )?contact (?:op(?:nemen)?|opnemen)|(?:bij|na) (?:mijn )?terugkomst|geen toegang|mijn collega|uw (?:e-?mail|bericht) wordt"
    r"|w pilnych sprawach|(?:proszę|prosimy) o kontakt|po (?:moim )?powrocie|bez dostępu|ograniczony dostęp|moj(?:ą|ego) (?:koleżank|koleg)|w sprawach pilnych|acil|brådskande",
)

BOUNCE = _compiled(
    r"your message\b[^!?\n]{0,200}? was (?:read|displayed|opened) on|this is (?:the|an automatically generated) (?:mail (?:system|delivery)|delivery status|e-?mail delivery)|this message was created automatically by (?:the )?mail|(?:your |the )?(?:following )?(?:e-?mail |mail )?(?:message|mail|e-?mail)[^.!?\n]{0,80}(?:could not|couldn't|cannot|was not|wasn't|has not been|hasn't been) (?:be )?delivered|delivery (?:to the following|has failed|failed)|(?:message|mail) (?:wasn't|was not|not) delivered|(?:address|domain|recipient|mailbox) (?:not found|rejected|unknown)|i'm sorry to have to inform you that your message|your message (?:to|wasn't|couldn't)\b[^.!?\n]{0,100}(?:deliver|block|reject|full)|hi\. this is the"
    r"|(?:ihre|die folgende|diese) (?:nachricht|e-?mail|mail)[^.!?\n]{0,120}(?:konnte|wurde)[^.!?\n]{0,60}nicht (?:zugestellt|übermittelt|ausgeliefert)|fehler bei der (?:nachrichten)?zustellung|die zustellung (?:an|ist)"
    r"|(?:votre|le|ce) (?:message|courriel|e-?mail)[^.!?\n]{0,120}(?:n'a pas (?:pu être|été)|n'a pu être) (?:remis|distribué|délivré|envoyé)|échec de la remise|la remise (?:à|a)"
    r"|(?:su|el|tu|este) (?:mensaje|correo)[^.!?\n]{0,120}no (?:se )?(?:ha|pudo|ha podido|se ha podido|pudo ser)[^.!?\n]{0,20}entrega|error en la entrega|no se pudo entregar"
    r"|(?:a sua|sua|a|esta) (?:mensagem|e-?mail)[^.!?\n]{0,120}não (?:pôde|foi|pode)[^.!?\n]{0,20}(?:entregue|ser entregue)|falha na entrega|não foi possível entregar"
    r"|(?:il|questo|il tuo|il suo) (?:messaggio|e-?mail)[^.!?\n]{0,120}non (?:è stato|può essere|è stato possibile)[^.!?\n]{0,20}(?:recapitat|consegnat)|impossibile recapitare|recapito non riuscito"
    r"|(?:uw|het|je|dit) (?:bericht|e-?mail)[^.!?\n]{0,120}(?:kon(?:den)?|is|kan) niet (?:worden )?(?:bezorgd|afgeleverd)|bezorging (?:is )?mislukt"
    r"|(?:twoja|państwa|pana|ta)? ?wiadomość[^.!?\n]{0,120}nie (?:mogła|została|może)[^.!?\n]{0,20}(?:dostarczon)|nie udało się dostarczyć",
)
BOUNCE_DETAILS = _compiled(
    r"\d{1,2}[/.:]\d\d|\b5\d\d[ -]?#?5\.\d\.\d{1,3}|\b5\.\d\.\d{1,2}\b|\b4\d\d 4\.\d\.\d|user unknown|unknown user|mailbox (?:is )?(?:full|unavailable)|no such (?:user|recipient)|over quota|recipients?\b|smtp|diagnostic-code|final-recipient|reporting-mta|remote[ -](?:server|mta|host)|mailer-daemon|postmaster|mx\.|mail system|nicht (?:gefunden|vorhanden)|postfach|empfänger|destinataire|destinatari|adresat|odbiorc|geadresseerde|ontvanger|<[^<>\s]+@[^<>\s]+>",
)

RECEIPT = _compiled(
    r"(?:\[?(?:ticket|case|request|ref)[ :]?#?\s?[\w-]{2,20}\]?[:.\s-]{1,3})?(?:(?:dear \w+|hello|hi|dear (?:sir|customer|sender|sir or madam))[^.!?\n]{0,30}[,!.\n]\s*)?(?:thank you for (?:contacting|your (?:e-?mail|message|request|inquiry|enquiry|mail)|reaching out|writing|getting in touch)|thanks for (?:contacting|reaching out|your (?:e-?mail|message)|getting in touch)|we(?:'ve| have)? (?:received|got) your (?:request|e-?mail|message|ticket|inquiry|enquiry|mail|case)|your (?:request|ticket|e-?mail|message|case|inquiry|enquiry)[^.!?\n]{0,40}(?:has been|was|is) (?:received|created|registered|opened|logged|being processed)|(?:a|your) (?:new )?(?:support )?ticket (?:has been|was) (?:created|opened)|this is an? (?:automat|auto-?generated|auto\b))"
    r"|(?:(?:guten tag|hallo|sehr geehrte[^,\n]{0,50}),?\s*)?(?:vielen dank für ihre (?:anfrage|nachricht|e-?mail|mail|kontaktaufnahme)|wir haben ihre (?:anfrage|nachricht|e-?mail|mail)[^.!?\n]{0,20}erhalten|ihre (?:anfrage|nachricht|e-?mail|mail)[^.!?\n]{0,30}(?:ist (?:bei uns )?eingegangen|wurde (?:erfasst|registriert|empfangen))|(?:ihr|ein) (?:neues )?ticket[^.!?\n]{0,30}wurde (?:erstellt|eröffnet|angelegt)|(?:dies|das) ist eine automatisch)"
    r"|(?:(?:bonjour|madame[^,\n]{0,20}),?\s*)?(?:(?:nous vous remercions|merci) (?:de nous avoir contactés?|pour votre (?:message|demande|courriel|mail)|de votre (?:message|demande))|nous avons bien reçu votre (?:demande|message|courriel|mail)|votre (?:demande|message|ticket)[^.!?\n]{0,30}(?:a bien été|a été) (?:reçu|enregistré|créé|pris)|(?:ceci|ce message) est (?:un message|une réponse|généré|envoyé) automati)"
    r"|(?:(?:estimad[oa][^,:\n]{0,30}|hola)[,:]?\s*)?(?:gracias por (?:contactar|su (?:mensaje|correo|consulta)|ponerse en contacto|escribirnos)|hemos recibido su (?:solicitud|mensaje|correo|consulta)|su (?:solicitud|mensaje|consulta|ticket)[^.!?\n]{0,30}ha sido (?:recibid|registrad|cread)|este (?:es un (?:mensaje|correo)|mensaje|correo)[^.!?\n]{0,30}automátic)"
    r"|(?:(?:prezad[oa][^,\n]{0,30}|olá),?\s*)?(?:obrigad[oa] (?:por (?:entrar em contato|contactar|nos contactar)|pelo seu (?:contacto|contato|e-?mail))|recebemos (?:o seu|a sua|seu|sua) (?:pedido de|mensagem|e-?mail|solicitação|contacto)|(?:o seu pedido|a sua (?:mensagem|solicitação)|sua solicitação)[^.!?\n]{0,30}foi (?:recebid|registad|registrad)|esta é uma (?:mensagem|resposta) automática)"
    r"|(?:(?:gentile[^,\n]{0,30}|buongiorno),?\s*)?(?:grazie per (?:averci contattato|il (?:tuo|suo) messaggio|la (?:tua|sua) (?:richiesta|e-?mail))|abbiamo ricevuto la (?:tua|sua|vostra) (?:richiesta|e-?mail|mail)|la (?:tua|sua|vostra) richiesta[^.!?\n]{0,30}è stata (?:ricevuta|registrata|presa)|questo è un (?:messaggio|e-?mail) (?:generato )?automatic)"
    r"|(?:(?:beste[^,\n]{0,30}|geachte[^,\n]{0,30}),?\s*)?(?:bedankt voor (?:uw|je) (?:bericht|e-?mail|vraag|aanvraag)|(?:we|wij) hebben (?:uw|je) (?:bericht|e-?mail|vraag|aanvraag|verzoek) (?:in goede orde )?ontvangen|uw (?:bericht|aanvraag|verzoek)[^.!?\n]{0,20}is (?:ontvangen|geregistreerd)|dit is een automatisch)"
    r"|(?:(?:dzień dobry|szanowni państwo|szanowny[^,\n]{0,20}),?\s*)?(?:dziękujemy za (?:kontakt|wiadomość|zgłoszenie|przesłanie)|otrzymaliśmy (?:twoją|twoje|państwa|pani|pana)? ?(?:wiadomość|zgłoszenie)|(?:twoje|państwa)? ?zgłoszenie[^.!?\n]{0,30}zostało (?:przyjęte|zarejestrowane|utworzone)|(?:to jest|jest to) (?:wiadomość|odpowiedź) (?:wygenerowana )?automatyczn)",
)
RECEIPT_DETAILS = _compiled(
    r"(?:do not|don't|please do not|cannot) (?:reply|respond|answer) (?:directly )?(?:to this|on this)|not monitored|unattended mailbox|(?:automated|automatic|auto-?generated|automatically generated|computer-generated) (?:e-?mail|message|reply|response|notification|confirmation)"
    r"|(?:we|our team|an agent|someone|a member of[^.!?\n]{0,30}|a representative|one of our[^.!?\n]{0,20})?(?:'ll| will| shall|and will) (?:answer|reply|respond|get back to you|be in touch|contact you|review|process)|we(?:'re| are| aim to| try to| usually)[^.!?\n]{0,40}(?:reply|respond|answer|review)|(?:ticket|case|reference|request) (?:number|id|no|#)|\[ticket|your (?:ticket|reference|case) (?:is|number|id)"
    r"|(?:antworten sie (?:bitte )?nicht|nicht auf diese|bitte nicht antworten)|automatisch (?:erstellt|generiert|versendet|erzeugt)|automatische (?:nachricht|antwort|e-?mail|eingangsbestätigung)|(?:wir|unser team)[^.!?\n]{0,60}(?:antworten|bearbeiten|beantworten|melden|kümmern|prüfen)|(?:ticket|vorgangs|bearbeitungs)(?:nummer|-nr|-id)"
    r"|ne pas répondre|ne répondez pas|message automatique|réponse automatique|généré automatiquement|(?:nous|notre équipe)[^.!?\n]{0,60}(?:répond|traiter|reviend|contacter)|(?:réponse|demande)[^.!?\n]{0,40}(?:sous|dans les)|numéro de (?:ticket|dossier|demande)"
    r"|no responda|no conteste|(?:mensaje|correo|respuesta) automátic|generado automáticamente|(?:le|te|les) (?:responderemos|contestaremos|contactaremos)|nuestro equipo|número de (?:ticket|caso|solicitud)"
    r"|não responda|(?:mensagem|resposta|e-?mail) automátic|gerad[oa] automaticamente|responderemos|retornaremos|entraremos em contat|nossa equipe|número (?:do|de) (?:ticket|protocolo|pedido de)|protocolo"
    r"|non rispond(?:ere|a|ete)|(?:messaggio|risposta|e-?mail) automatic|generat[oa] automaticamente|(?:le|ti|vi) risponder(?:emo|à)|sarà (?:ricontattat|gestita|presa)|il nostro (?:team|staff)|numero (?:di |del )?(?:ticket|pratica|richiesta)"
    r"|niet (?:te )?(?:beantwoorden|antwoorden)|niet op dit|automatisch (?:bericht|gegenereerd|antwoord)|automatische (?:bevestiging|reactie)|(?:we|wij|ons team)[^.!?\n]{0,60}(?:antwoord|reageren|beantwoorden|contact)|ticketnummer|dossiernummer"
    r"|nie odpowiadać|nie odpowiadaj|(?:wiadomość|odpowiedź) (?:została )?(?:wygenerowan\w+ )?automatyczn|wygenerowana automatycznie|odpowiemy|skontaktujemy|nasz zespół|numer (?:zgłoszenia|sprawy)",
)

DECLARED = _compiled(
    r"(?:this|das|dies|ceci|este|esta|questo|questa|dit|to) (?:is|ist|est|es|é|è|jest)[^.!?\n]{0,20}(?:automat|auto-generated|autogenerated|computer-generated)|(?:diese|dieses) (?:e-?mail|nachricht|mail) wurde automatisch|(?:ce|cet) (?:message|courriel|e-?mail) (?:a été|est) (?:généré|envoyé) automatiquement"
    r"|(?:this|the) (?:e-?mail|message) (?:was|has been|is) (?:automatically|auto-)|(?:please )?do not (?:reply|respond) to this (?:e-?mail|message|address)|(?:bitte )?antworten sie (?:bitte )?nicht auf diese|(?:merci de |veuillez )?ne pas répondre à ce|(?:por favor,? )?no responda a este|(?:por favor,? )?não responda a est|(?:si prega di )?non rispondere a quest"
    r"|(?:gelieve )?(?:dit|deze) (?:bericht|e-?mail) niet (?:te )?beantwoorden|(?:prosimy|proszę) nie odpowiadać na (?:tę|ten|to)",
)
"""A text that calls itself automated."""

HUMAN = _compiled(
    r"\b(?:i (?:ordered|paid|want|wanted|never|bought|sent you|wrote|tried|can't|cannot log|didn't|returned|still|am (?:still )?waiting|was (?:told|charged)|would (?:like|love|prefer)|need (?:to|a|my|the|it)|have (?:not|never|ordered|paid|bought|received|been|a question|written|tried)|haven't|got (?:a|an|the|your|this|my|only|no)|received (?:the|a|an|your|this|only)|wonder|asked))\b"  # vocabulary: word list
    r"|\bmy (?:order|parcel|package|money|refund|account|invoice|delivery|address|password|lamp|item|purchase|card)\b|\bdeliver (?:it|my|after|before|on|to)\b|refund me|cancel (?:my|the|it)\b|please (?:send|deliver|cancel|refund|change|hold|ship|postpone|re-?send|leave|keep)\b|leave (?:it|the parcel|my)\b"
    r"|\bich (?:habe (?!keinen zugriff|nur|derzeit|aktuell|kein)|möchte|will\b|brauche|warte|hätte|bekam|bestellte)|\bmein(?:e|en|em|er)? (?:paket|bestellung|geld|konto|rechnung|lieferung|adresse|sendung|ware)|bitte (?:liefern|senden|schicken|stornieren|ändern|storniert|schickt|liefert|stellt|legen|legt)\b|liefern sie|legen sie"
    r"|\bj'ai (?:commandé|payé|reçu|acheté|écrit|besoin|une|un)|\bje (?:veux|voudrais|souhaite(?! la)|n'ai (?:pas|rien|toujours pas) (?:reçu|eu|commandé)|ne peux pas (?:me connecter|payer))|\bma (?:commande|livraison|facture)|\bmon (?:colis|compte|argent|remboursement)|(?:merci de|veuillez|pouvez-vous) (?:livrer|m'envoyer|annuler|rembourser|changer|repousser|reporter)"
    r"|\b(?:he (?:comprado|pagado|pedido|recibido|escrito)|quiero|quisiera|necesito|compré|pagué|pedí)\b|\bmi (?:pedido|paquete|dinero|cuenta|factura|entrega)|por favor,? (?:envíen|entreguen|cancelen|cambien|dejen)"
    r"|\b(?:quero|gostaria|preciso|comprei|paguei)\b|\b(?:o meu|a minha|meu|minha) (?:pedido|encomenda|conta|fatura|dinheiro)|por favor,? (?:enviem|entreguem|cancelem)"
    r"|\b(?:ho (?:ordinato|pagato|ricevuto|comprato|scritto)|vorrei|voglio)\b|\bil mio (?:ordine|pacco|account)|la mia (?:consegna|fattura)|\b(?:ik (?:heb (?!geen toegang|beperkt)|wil|wacht|betaalde|kreeg)|mijn (?:bestelling|pakket|geld|account|factuur))\b"
    r"|\b(?:chcę|chciał(?:bym|abym)|zamówiłe?a?m|zapłacił[ae]m|moj(?:e|ego|ej|a|ą) (?:zamówieni\w+|paczk\w+|pieniądz\w+|kont\w+|przesyłk\w+))"
)
"""Signs of a customer's request inside a text that otherwise reads like automated mail."""

DATE_WORDS = frozenset(
    """
    st nd rd th until till through from to and of the on inclusive including further notice next this for a week weeks day days month back returning return returned
    bis zum vom ab am einschließlich und wieder zurück jusqu au du inclus hasta el al de até dia fino dal tot en met van do od r
    monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonntag lundi mardi mercredi jeudi vendredi
    lunes martes miércoles jueves viernes segunda terça quarta quinta sexta feira lunedì martedì mercoledì giovedì venerdì maandag dinsdag woensdag donderdag vrijdag
    """.split()
)
MONTHS = frozenset(
    "jan feb fév mar mär maa apr avr abr may mai mei maj jun jui jul aug aoû ago sep set oct okt out nov dec dez déc dic ene gen mag giu lug ott lut sty kwi cze lip sie wrz paź lis gru".split()
)
"""The first three letters of months."""

GREETING = re.compile(
    r"(?:hello|hi|dear|hey|hallo|guten tag|guten morgen|sehr geehrter?|liebe[rs]?|bonjour|madame|cher|chère|hola|buenos días|buenas tardes|estimad[oa]s?|olá|bom dia|boa tarde|prezad[oa]s?"
    r"|caro|buongiorno|salve|gentile|goedemorgen|goedendag|beste|geachte|dzień dobry|witam|szanown[aiy])\b[^,.!:\n]{0,50}[,.!:]\s*",
    re.IGNORECASE,
)
COURTESY = re.compile(
    r"(?:many )?(?:thank|danke|vielen dank|herzlichen dank|merci|je vous remercie|gracias|muchas gracias|obrigad|grazie|la ringrazio|bedankt|dank|hartelijk dank|dziękuję|dziękujemy|tack)",
    re.IGNORECASE,
)
"""Thanks at the beginning of a mail."""

STEMS = frozenset(
    # titles
    """
    auto autom autor autoa autoo autos автоо offic ooo desk abwes antwo absen répon respu respo ausen ausên rispo ufici uffic offis assen afwez react aanwe odpow nieob svar fravæ frånv poiss
    vasta yanıt undel deliv retur failu mail unzus zuges remis distr déliv échec entre falha recap manca onbes afgel bezor dosta niedo zwrot recei read geles lesee overm leseb confe lettu accus lu confi leído
    lida conf lette letto leesb gelez potwi ackno einga überm
    """.split()
    # absence
    + """
    leave vacac holid vacat trip count trave away close urlau büro haus errei arbei elter diens gesch congé dépla vacan fermé burea indis ofici baja viaje cerra escri féria licen viage
    encer sede ferie trasf chius vakan kanto buite geslo biure urlop semes konto ofis izind
    """.split()
    # bounces
    + """
    syste conse qmail creat rejec unkno found infor sorry zuste ausge livré envoy pudo podid pôde possí impos mislu udało mailb recip domai addre
    """.split()
    # receipts
    + """
    email corre compu przes autog conta reach writi getti ticke reque inqui enqui case opene regis logge proce anfra nachr erhal einge erfas empfa dies herzl deman messa courr reçu enreg génér ceci consu solic recib
    reply beant
    conte conto receb mensa averc richi ricev presa beric vraag aanvr ontva gereg verzo konta wiado zgłos otrzy przyj zarej utwor gener
    """.split()
)
"""The first five letters of words of which every text that the patterns above match has one."""

# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Words around names in five languages: cues of names, and words in the place of a name that are not names."""

from __future__ import annotations

from frontdesk.masking.lexicons import read_word_lists

_WORDS = read_word_lists("name_words")

TITLE = (
    r"(?:mr|mrs|ms|miss|mx|mister|dr|prof|professor|sir|herrn?|frau|fr|hr|mme|mlle|monsieur|madame|mademoiselle|me|m"
    r"|señora?|señorita|sra?|srta|don|doña|dña|d|signora?|signorina|signor|sig|sig\.ra|sig\.na|dott|dott\.ssa|dottor"
    r"|dottoressa|dra|doutora?|maître|maitre|pani?|panie|eng\.?º|in[zż]|dr\.? med|dipl\.?-ing|ing|avv|mag|lic|rag|geom|fam|familie|famille|familia|famiglia|mevrouw|meneer|mevr|dhr)\.?"
)
"""Titles after a greeting ("Sehr geehrte Frau Dr. ..."). They are not masked, because replies need them."""

TITLE_ALONE = (
    r"mr|mrs|ms|miss|mister|dr\.? med|dra|doutora?|maître|maitre|pani|(?-i:pan)|(?-i:Pan)|panie|szanowna pani|szanowny panie|eng\.?º|sr|dr|prof|herrn?|frau|familie|famille|famiglia|mme|mlle|monsieur|madame|señora?|sra|srta|doña|signora?|signorina|sig\.ra"
    r"|(?:mag|lic|rag|geom|fam|sig|avv|ing)(?=\.)|mevrouw|dhr|dott(?:\.ssa)?|dottor|dottoressa|avv|(?-i:M)(?=\.)"
)
"""Titles that announce a name in any position."""

SURE = (
    r"dear|geehrte[rs]?|liebe[rs]?|werte[rs]?|estimad[oa]|querid[oa]|gentile|gent\.(?:mo|ma)|egregi[oa]|beste"
    r"|(?:my|the|her|his|their|full|first|last|whose) name(?: is| was|['’]s|:)|name on (?:the )?card(?: is|:)|name['’]s|name:|ich (?:heiße|heisse)|mein name (?:ist|lautet)"
    r"|je m['’]appelle|je me nomme|mon nom (?:est|complet est)|nom ?:|naam ?:|namn ?:|jag heter|mijn naam is|ik heet|(?:il|la) sottoscritt[oa]|je soussignée?|me llamo|mi nombre (?:es|completo es)|nombre ?:"
    r"|mi chiamo|il mio nome (?:è|e['’])|nome ?:|in the name of|under the name|auf den namen|au nom de|a nombre de|a nome di"
    r"|intestat[oa] a|cardholder(?: name)?(?: is|:)?|account holder(?: is|:)?|kontoinhaber(?:in)?(?: ist|:)?"
    r"|titular(?: es|:)?|titulaire ?:|intestatario ?:?|recipient(?: is|:)|empfänger(?:in)?(?: ist|:)|destinataire ?:"
    r"|destinatario ?:|attn\.?:?|c/o|z\.? ?hd\.?(?: von)?|signed,?|gezeichnet,?"
    r"|(?:for )?the attention of|zu händen(?: von)?|[aà] l['’]attention de|all['’]attenzione d(?:i|el|ella)|a la atención de"
    r"|t\.?a\.?v\.?|ter attentie van"
)
"""Phrases that are almost always followed by a name."""

GREETING = (
    r"hi|hello|hey|hiya|heya|howdy|greetings|morning|afternoon|evening|hallo|hallöchen|moin|servus|tag|morgen|abend|grüezi"
    r"|dag|goedemorgen|goedemiddag|goedenavond|bom dia|boa tarde|boa noite|olá|ola|dzień dobry|cześć|witam|merhaba|bonjour|bonsoir|salut|coucou|ch[eè]re?|hola|buenas|días|tardes|noches|ciao|salve|buongiorno|buonasera|car[oa]|hej"
)
"""Greetings, before a name or the first words of a message. After an unknown name, a comma or line end is required."""

THANKS = r"thanks|thank you|thx|ty|cheers|danke(?: dir| ihnen)?|dank|merci|gracias|grazie|obrigad[oa]|tack|bedankt"

PERSON = (
    r"this is|it['’]?s|its|i['’]?m|i am|here is|ich bin|hier ist|hier spricht|hier schreibt|hier|je suis|c['’]est|ici|soy|aquí"
    r"|habla|le escribe|sono|qui parla|qui|parla|scrive|spoke (?:to|with)|speak (?:to|with)|talk(?:ed|ing)? (?:to|with)"
    r"|chat(?:ted|ting)? with|agent|colleague|advisor|assistant|served by|helped by|handled by|ask for|kolleg(?:e|in|en)"
    r"|mitarbeiter(?:in)?|mit|votre collègue|conseill(?:er|ère)|avec|su compañer[oa]|con|il (?:suo|vostro) collega"
    r"|la (?:sua|vostra) collega|manager|technician|driver|courier|operator|technicien(?:ne)?|técnic[oa]|tecnico|operatore|operatrice|sachbearbeiter(?:in)?|techniker|berater(?:in)?|(?:told|advised|informed|promised) by|to|met|addressed to|deliver(?:ed)? to|send (?:it|them) to|sent to|husband|wife|son|daughter|brother"  # vocabulary: word list
    r"|sister|mother|father|friend|(?<=-in-)law|mann|sohn|tochter|mari|femme|marido|hijo|hija|marito|moglie|figli[oa]"
)
"""Words that may precede a person. Only a known given name is accepted after them."""

SPEAKING = r"speaking|à votre (?:écoute|service)|calling here|am apparat|wrote|schrieb|a écrit|escribió|ha scritto|schreef|skrev|à l['’]appareil|al habla|al telefono|writing"

CLOSING = (
    r"regards|wishes|rgds|br|yours(?: (?:sincerely|faithfully|truly))?|sincerely(?: yours)?|faithfully|truly|respectfully|best"
    r"|(?<=take )care|love|xoxo"
    r"|grüßen?|grüssen?|gruß|gruss|hochachtungsvoll|mfg|lg|vg|bg|ihre?|eure|euer|dein"
    r"|cordialement|cdt|cdlt|(?<=bien à )vous|amicalement|sincèrement|salutations(?: distinguées)?|bises|(?<=à )bientôt"
    r"|saludos?(?: cordial(?:es)?)?|atentamente|atte|abrazos?|cordialmente|saluti|saluto|(?<=a )presto|(?<=in )fede"
    r"|hälsning(?:ar)?|hälsningen|mvh|mvg|groet(?:en|jes)?|atenciosamente|cumprimentos|abraços?|pozdrawiam|pozdrowienia"
    r"|(?<=z )poważaniem|saygılar(?:ımla)?|hilsen|hilsner|vh|(?<=s )pozdravem|terveisin|warmly|respectueusement"
)
"""Last word of a closing; the name follows, and nothing follows the name."""

MORE_CLOSINGS = (
    r"ta|teşekkürler|teşekkür ederim|dziękuję|kiitos|takk|děkuji|best wishes|cheers|all the best|have a (?:nice|good|great) day"
    r"|schönen (?:tag|gruß)|bonne (?:journée|réception)|excellente journée|buen día|buona giornata|fijne dag|met dank"
)
"""Closings that are one only at the end of a line."""

LABEL = (
    r"(?:lodged|raised|reported|submitted|ordered|requested|written|prepared|filed|signed|collected|accepted) by|op naam van|consignee|employee|executor|widow of|bride|groom|owner|holder|salariée?|tomadora?|contraente|citofono|payroll|pensioner|to whom it concerns|(?:gemeldet|erstellt|bestellt) von|on behalf of|de la part de|im (?:namen|auftrag) von|en nombre de|da parte di|per conto di|namens|(?:reservation|booked|booking) (?:under|for)|(?:full |first |last |customer |contact |buyer['’]?s? |sender['’]?s? |my )?names?|surname|vor- ?und nachname|vorname|nachname|name des kunden"
    r"|kundenname|nom(?: et prénom| de famille| complet| du client)?|prénom(?: et nom)?|nombre(?: completo| y apellidos?)?|apellidos?"
    r"|nome(?: e cognome| completo| cliente)?|cognome|voornaam|achternaam|naam|namn|caller|customer|client|contact(?: person)?|buyer"
    r"|sender|passengers?|guests?|patient|tenant|insured|policy ?holder|kund(?:e|in)|anrufer(?:in)?|besteller(?:in)?|ansprechpartner(?:in)?"
    r"|gast|gäste|reisende[r]?|versicherte[r]?|mieter(?:in)?|client[e]?|appelant[e]?|passagers?|assuré[e]?|voyageu(?:r|se)|contacto|titular|pasajer[oa]s?"
    r"|asegurad[oa]|cliente|titulaire|payee|beneficiary|bénéficiaire|beneficiari[oa]|begünstigte[rn]?|begunstigde|chiamante|passegger[oi]|assicurat[oa]|intestatario|klant|beller|passagier|contactpersoon|kontakt"
)
"""Labels of a person. A colon or space and a name of at least two words must follow."""

SENT_TO = r"(?:an|to|a|chez|aan|für|for|per|pour|para|naar|bei)"
"""Words before the recipient of a parcel; an address follows the name."""

HEADER = r"(?:from|to|cc|von|an|de|à|da|van|aan) ?:"
"""Headers of a forwarded e-mail."""

RELATED = (
    r"husband|wife|son|daughter|brother|sister|mother|father|mum|mom|dad|friend|partner|neighbour|mann|frau|sohn|tochter|bruder|schwester"
    r"|mutter|vater|mari|femme|fils|fille|frère|sœur|mère|père|marido|mujer|hijo|hija|hermano|hermana|madre|padre|marito|moglie"
    r"|figli[oa]|fratello|sorella|man|vrouw|zoon|dochter"
)
"""Relatives and partners. A name of at least two words must follow."""

ROLE = (
    r"customer|client|account|acct|acc|member|policy|contract|passenger|guest|tenant|kunde|kundin|kunden|kundennummer|konto|kontonummer"
    r"|vertrag|vertragsnummer|mitglied|mitgliedsnummer|police|cliente|clienta|compte|contrat|adhérent|adhérente|cuenta|contrato|póliza"
    r"|socio|socia|abonado|conto|contratto|polizza|tessera|klant|klantnummer|rekening|lid|lidnummer|polis|polisnummer|passport|passeport|pasaporte|passaporto|reisepass|paspoort|paszport|geboren|born|née|né|nascida|nascido|nacida|nacido|nata|nato|ur"
)
"""Roles after a name, before a number: "Huguette Lambert, client n° 440192"."""

PERSON_NOUN = (
    r"rep|plumber|electrician|fitter|waiter|waitress|receptionist|therapist|instructor|ex-husband['’]s|ex-husband|ex-wife|solicitor|builder|gardener|cleaner"
    r"|plombier|serveur|serveuse|vendeur|vendeuse|livreurs|monteur|locataire|notaire|épouse|époux|conjointe?|avocate?|médecin"
    r"|fontanero|camarer[oa]|comercial|profesora?|repartidora?|mecánico|abogad[oa]|mi mujer|mi marido"
    r"|idraulico|cameriere|avvocato|corriere|operaio|elettricista|commess[oa]|portiere"
    r"|loodgieter|bezorger|monteur|mijn vader|mijn moeder|mijn man|mijn vrouw|mijn zoon|mijn dochter|buurman|buurvrouw"
    r"|canalizador|operador|vizinh[oa]|sogr[oa]|pai|mãe|mulher|estafeta|técnico"
    r"|hydraulik|technik|sąsiad[ak]?i?|kurier|mąż|żon[ay]|teść|córka|syn|ojciec|matka"
    r"|mein(?:e|em|en|er)? (?:sohn|tochter|mann|bruder|schwester|vater|mutter|oma|opa|tante|onkel|nachbarin)|euer mann|oma"
)
"""People by their work or relation. A capitalised word after them, often after a comma, is their name."""

PARTICLE = r"(?:Ó|Ní|Nic|ap|ab|Abd|abd|el-|van (?:der|den|de|het|'t)|van|von (?:der|dem)|vom|von|zu|de (?:la|las|los|l['’])|de|del|della|dei|di|da|dos|du|des|le|la|ter|ten|el|al|bin|ibn|af|y)"

ORGANISATION = frozenset(_WORDS["organisation"])
PARTICLE_WORDS = frozenset(_WORDS["particle_words"])
NOT_A_NAME = ORGANISATION | frozenset(_WORDS["not_a_name"])
TITLE_WORDS = frozenset(_WORDS["title_words"])
NOT_NAMED = frozenset(_WORDS["not_named"])
PERSON_NOUN_FIRST = frozenset(_WORDS["person_noun_first"])
SURE_FIRST = frozenset(_WORDS["sure_first"])
GREETING_FIRST = frozenset(_WORDS["greeting_first"])
THANKS_FIRST = frozenset(_WORDS["thanks_first"])
CLOSING_FIRST = frozenset(_WORDS["closing_first"])
PERSON_FIRST = frozenset(_WORDS["person_first"])

ROLE_FIRST = frozenset(ROLE.split("|"))

RELATED_FIRST = frozenset(_WORDS["related_first"])
LABEL_FIRST = frozenset(_WORDS["label_first"])
IN_SENDERS = frozenset(_WORDS["in_senders"])
ROLES_IN_CHATS = frozenset(_WORDS["roles_in_chats"])
WORDS_ELSEWHERE = frozenset(_WORDS["words_elsewhere"])
INTERJECTIONS = frozenset(_WORDS["interjections"])
AFTER_WORDS_ELSEWHERE = frozenset(_WORDS["after_words_elsewhere"])
AFTER_A_PERSON = frozenset(_WORDS["after_a_person"])
TEAM_WORDS = frozenset(_WORDS["team_words"])
SPEAKING_FIRST = frozenset(_WORDS["speaking_first"])

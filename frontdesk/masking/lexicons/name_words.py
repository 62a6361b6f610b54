# ruff: noqa: E501  -- lists and patterns read better unbroken
"""The words around names, in five languages: what announces one, and what stands in its place without being one."""

from __future__ import annotations

TITLE = (
    r"(?:mr|mrs|ms|miss|mx|mister|dr|prof|professor|sir|herrn?|frau|fr|hr|mme|mlle|monsieur|madame|mademoiselle|me|m"
    r"|señora?|señorita|sra?|srta|don|doña|dña|d|signora?|signorina|signor|sig|sig\.ra|sig\.na|dott|dott\.ssa|dottor"
    r"|dottoressa|ing|avv|mag|lic|rag|geom|fam|familie|famille|familia|famiglia|mevrouw|meneer|mevr|dhr)\.?"
)
"""A title after a greeting ("Sehr geehrte Frau Dr. ..."). It says how to speak to somebody, and is left to read."""

TITLE_ALONE = (
    r"mr|mrs|ms|miss|mister|dr|prof|herrn?|frau|mme|mlle|monsieur|madame|señora?|sra|srta|doña|signora?|signorina|sig\.ra"
    r"|(?:mag|lic|rag|geom|fam|sig|avv|ing)(?=\.)|mevrouw|dhr|dott(?:\.ssa)?|dottor|dottoressa|avv|(?-i:M)(?=\.)"
)
"""Titles that announce a name anywhere."""

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
"""What stands before a name and hardly ever before anything else."""

GREETING = (
    r"hi|hello|hey|hiya|heya|howdy|greetings|morning|afternoon|evening|hallo|hallöchen|moin|servus|tag|morgen|abend|grüezi"
    r"|bonjour|bonsoir|salut|coucou|ch[eè]re?|hola|buenas|días|tardes|noches|ciao|salve|buongiorno|buonasera|car[oa]|hej"
)
"""What stands before a name or the first words of the message: unknown words need a comma or the line's end behind."""

THANKS = r"thanks|thank you|thx|ty|cheers|danke(?: dir| ihnen)?|dank|merci|gracias|grazie|obrigad[oa]|tack|bedankt"

PERSON = (
    r"this is|it['’]?s|its|i['’]?m|i am|here is|ich bin|hier ist|hier spricht|hier schreibt|hier|je suis|c['’]est|ici|soy|aquí"
    r"|habla|le escribe|sono|qui parla|qui|parla|scrive|spoke (?:to|with)|speak (?:to|with)|talk(?:ed|ing)? (?:to|with)"
    r"|chat(?:ted|ting)? with|agent|colleague|advisor|assistant|served by|helped by|handled by|ask for|kolleg(?:e|in|en)"
    r"|mitarbeiter(?:in)?|mit|votre collègue|conseill(?:er|ère)|avec|su compañer[oa]|con|il (?:suo|vostro) collega"
    r"|la (?:sua|vostra) collega|manager|technician|driver|courier|operator|technicien(?:ne)?|técnic[oa]|tecnico|operatore|operatrice|sachbearbeiter(?:in)?|techniker|berater(?:in)?|(?:told|advised|informed|promised) by|to|met|addressed to|deliver(?:ed)? to|send (?:it|them) to|sent to|husband|wife|son|daughter|brother"
    r"|sister|mother|father|friend|(?<=-in-)law|mann|sohn|tochter|mari|femme|marido|hijo|hija|marito|moglie|figli[oa]"
)
"""What may stand before a person: only a known given name counts."""

SPEAKING = r"speaking|calling here|am apparat|wrote|schrieb|a écrit|escribió|ha scritto|schreef|skrev|à l['’]appareil|al habla|al telefono|writing"

CLOSING = (
    r"regards|wishes|rgds|br|yours(?: (?:sincerely|faithfully|truly))?|sincerely(?: yours)?|faithfully|truly|respectfully|best"
    r"|(?<=take )care|love|xoxo"
    r"|grüßen?|grüssen?|gruß|gruss|hochachtungsvoll|mfg|lg|vg|bg|ihre?|eure|euer|dein"
    r"|cordialement|cdt|cdlt|(?<=bien à )vous|amicalement|sincèrement|salutations(?: distinguées)?|bises|(?<=à )bientôt"
    r"|saludos?(?: cordial(?:es)?)?|atentamente|atte|abrazos?|cordialmente|saluti|saluto|(?<=a )presto|(?<=in )fede"
    r"|hälsning(?:ar)?|hälsningen|mvh|groet(?:en|jes)?"
)
"""The telling word that ends a letter; the name stands behind it, and nothing behind the name."""

LABEL = (
    r"(?:lodged|raised|reported|submitted|ordered|requested|written|prepared|filed|signed) by|(?:gemeldet|erstellt|bestellt) von|on behalf of|de la part de|im (?:namen|auftrag) von|en nombre de|da parte di|per conto di|namens|(?:reservation|booked|booking) (?:under|for)|(?:full |first |last |customer |contact |buyer['’]?s? |sender['’]?s? |my )?names?|surname|vor- ?und nachname|vorname|nachname|name des kunden"
    r"|kundenname|nom(?: et prénom| de famille| complet| du client)?|prénom(?: et nom)?|nombre(?: completo| y apellidos?)?|apellidos?"
    r"|nome(?: e cognome| completo| cliente)?|cognome|voornaam|achternaam|naam|namn|caller|customer|client|contact(?: person)?|buyer"
    r"|sender|passengers?|guests?|patient|tenant|insured|policy ?holder|kund(?:e|in)|anrufer(?:in)?|besteller(?:in)?|ansprechpartner(?:in)?"
    r"|gast|gäste|reisende[r]?|versicherte[r]?|mieter(?:in)?|client[e]?|appelant[e]?|passagers?|assuré[e]?|voyageu(?:r|se)|contacto|titular|pasajer[oa]s?"
    r"|asegurad[oa]|cliente|titulaire|payee|beneficiary|bénéficiaire|beneficiari[oa]|begünstigte[rn]?|begunstigde|chiamante|passegger[oi]|assicurat[oa]|intestatario|klant|beller|passagier|contactpersoon|kontakt"
)
"""What names the one who is written about: a colon or a mere space behind it, and then at least two words of a name."""

SENT_TO = r"(?:an|to|a|chez|aan|für|for|per|pour|para|naar|bei)"
"""What stands before the name on a parcel, which an address follows."""

HEADER = r"(?:from|to|cc|von|an|de|à|da|van|aan) ?:"
"""The head of a mail that was passed on."""

RELATED = (
    r"husband|wife|son|daughter|brother|sister|mother|father|mum|mom|dad|friend|partner|neighbour|mann|frau|sohn|tochter|bruder|schwester"
    r"|mutter|vater|mari|femme|fils|fille|frère|sœur|mère|père|marido|mujer|hijo|hija|hermano|hermana|madre|padre|marito|moglie"
    r"|figli[oa]|fratello|sorella|man|vrouw|zoon|dochter"
)
"""Whom people write for: two words of a name behind one of these are a name."""

ROLE = (
    r"customer|client|account|acct|acc|member|policy|contract|passenger|guest|tenant|kunde|kundin|kunden|kundennummer|konto|kontonummer"
    r"|vertrag|vertragsnummer|mitglied|mitgliedsnummer|police|cliente|clienta|compte|contrat|adhérent|adhérente|cuenta|contrato|póliza"
    r"|socio|socia|abonado|conto|contratto|polizza|tessera|klant|klantnummer|rekening|lid|lidnummer|polis|polisnummer"
)
"""What follows a name in a note, with a number behind it: "Huguette Lambert, client n° 440192"."""

PARTICLE = r"(?:van (?:der|den|de|het|'t)|van|von (?:der|dem)|vom|von|zu|de (?:la|las|los|l['’])|de|del|della|dei|di|da|dos|du|des|le|la|ter|ten|el|al|bin|ibn|af|y)"

ORGANISATION = frozenset(
    """
    team teams support service services kundenservice kundendienst kundenbetreuung customer customers shop store staff crew
    company gmbh ag kg ltd inc llc corp sa sl srl spa bv ab oy plc group department dept abteilung équipe equipe equipo squadra
    assistenza atención cliente clientes clients clienti clientèle helpdesk desk office sales billing management vertrieb
    verkauf buchhaltung versand redaktion kundenservices servicio servizio hotline care bank airlines airways hotel school
    primary academy clinic praxis kindergarten
    """.split()
)
"""A run of words with one of these is not a person."""

PARTICLE_WORDS = frozenset(
    "van der den de het von dem vom zu la las los del della dei di da dos du des le ter ten el al bin ibn af y".split()
)
"""The words of `PARTICLE`, one by one."""

NOT_A_NAME = ORGANISATION | frozenset(
    """
    a about after again all alles am an and any anybody anyone are as ask at aunt be bye but by can can't cancel cannot card
    chat could cheers dad damen dame delivery did do does don't each either every everybody everyone excellent first folks for
    friend friends from gents gentlemen get give go goodbye good great greetings guys had has have he help here hey hi hello him
    his how however i i'd i'll i'm i've if in into invoice is it it's its just kindly ladies last later let lord lots love ma'am
    maam madam mate mates may me mom mum more most mr mrs ms much my need never new nice no nobody none not nothing now of off ok
    okay on once one only or order orders our out over package parcel partner partners passwort password people perfect place
    please pls ps purchasing question quick re really refund regarding regards reply request return right room same see seller
    send she should simply since sincerely sir sirs so some somebody someone something soon sorry still stop store such super
    support sure tech tell thank thanks that that's the their them then there there's these they thing things this those though
    to today tomorrow tonight too track try two u unfortunately until up update upon urgent us user very was way we we'd we'll
    we're we've welcome well were what what's when where where's which while who whoever whom whose why will with without won't
    world would yes yesterday yet you you'd you'll you're you've your yours yourself human robot bot agent operator manager
    director editor reader boss chief colleague colleagues neighbour account address website app online email mail phone number
    monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october
    november december english german french spanish italian dutch british american european christmas easter
    premium free gold silver standard enterprise business pro plus basic delighted happy sad angry furious disappointed

    buy western aber alle alles allerseits als also am an andere anfrage angebot auch auf aus bei beste bestellung bestellen bis bitte da damit
    danke das dass dein dem den der des dich die dies diese dieser doch du ein eine einen einer er es euch eure farbe frage fragen
    freunde frau für gemeinde gerne gibt gruß grüße grüßen grüsse gut guten hab habe haben hallo hat hatte herr herren hier hilfe
    ich ihr ihre ihnen im in ist ja jemand jetzt kann kein keine konto kollege kollegen kolleginnen können kunde kunden leider
    leute lieber liebe lieferung mein meine mich mir mit montag dienstag mittwoch donnerstag freitag samstag sonntag morgen heute
    nach nachricht nein nicht noch nun nur ob oder paket problem rechnung retoure rückgabe sehr sein seit sich sie sind so steht
    storno tag toll um und uns unser unsere versand viel viele vielen von vor wann warum was weil welche wenn wer werde werden wie
    wieder wir wird wo wollte würde zu zum zur zusammen zustellung januar februar märz mai juni juli oktober dezember

    ai alors après au aussi aux avec avez avoir bien bonjour bonsoir bonne bravo c'est ça car ce cela ces cet cette chers chez colis
    combien commande comme comment cordialement dans de depuis des désolé donc du elle elles en encore est et être facture fait il ils
    j'ai j'aimerais je je n'ai jour l'équipe la le les leur livraison lui ma madame mais mademoiselle mais merci mes messieurs mesdames
    moi mon monsieur n'ai ne non nos notre nous où on ont ou oui par pas pour pourquoi pouvez pourriez qu que quel quelle quand qui
    remboursement s'il sa sans se ses si son sont suite sur ta tous tout toute toutes très tu un une urgent veuillez vos votre vous y
    lundi mardi mercredi jeudi vendredi samedi dimanche janvier février mars avril juin juillet août septembre octobre novembre décembre

    a adiós al algo alguien amigos aquí así ayer ayuda bien buen buenas buenos chicos cómo como con cuando cuándo cuenta cuánto de del
    desde dónde donde el ella ellos en envío es esta está este esto estoy factura favor gente gracias ha hace hasta hay he hola hoy la
    las lo los más mañana me mi mis mucha muchas muy ninguna no nos nosotros o os otra para pedido pero por porque puedo pueden podrían
    que qué queda quería quiero quién saludos se señor señora señores señoras ser si sí sin sobre solo sólo somos son soy su sus tal también
    tengo tiene todos todas tu un una urgente usted ustedes vale y ya yo lunes martes miércoles jueves viernes sábado domingo enero febrero
    marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre compañeros equipo

    ai al alla amici anche ancora bene buona buongiorno buonasera che chi ci ciao come con cosa cordiali da dal dalla dei del della
    di dopo dove e è fattura fra gentili gli grazie ha ho i il in io la le lei lo loro ma mi mia mie mille mio molto nei nel nessuno noi non
    nostra nostro o ogni oggi ordine ora pacco per perché perfetto però più poi posso potete potreste prego quale quando quanto quella quello
    questa questo ragazzi reso rimborso saluti salve sarei scusate se sei senza si signor signora signore signori sono spedizione spett
    staff su sul sulla tra tu tutti tutte tutto un una uno va vi voi vorrei vostra vostro lunedì martedì mercoledì giovedì venerdì sabato
    domenica gennaio febbraio maggio giugno luglio ottobre dicembre

    amazon apple google microsoft samsung sony paypal klarna zalando ikea dhl ups fedex hermes gls dpd lego nike adidas puma netflix spotify
    visa mastercard amex maestro facebook instagram whatsapp twitter android iphone ipad macbook playstation xbox nintendo bosch siemens
    dyson philips canon nikon lenovo asus acer dell hp huawei xiaomi alexa siri cortana santa

    practice practices beneficiary payee caller passenger booking reservation mfg mvh

    street road avenue lane drive square court hall station airport park bridge hospital university college church museum theatre island
    beach river lake valley hill mountain city town county centre center saint st mall market festival day week month year night edition
    set size colour color dress shirt shoe shoes jacket coat bag chair sofa table lamp bed desk rug pillow blanket mug watch ring necklace
    phone tablet laptop camera book novel album cream perfume lipstick jeans boots trainers sneakers kit pack box gift voucher

    klein hilfiger ford kors armani vuitton benz daniels dior cardin westwood mcqueen burch
    """.split()
)
"""Never a name, or part of one, where a name could stand: "Dear Sir", "Hi there", "Danke, Problem gelöst", "Tom Ford"."""

TITLE_WORDS = frozenset(
    "mr mrs ms miss mx mister dr prof herr herrn frau mme mlle monsieur madame señor señora sra sig".split()
)
"""Titles that a name does not begin with."""

NOT_NAMED = frozenset(
    """
    wrong misspelled misspelt spelled spelt incorrect correct missing falsch richtig faux mal errato sbagliato incorrecto mal
    verkeerd fel locked blocked stuck gone lost useless ridiculous
    """.split()
)
"""What may follow "my name is" without being a name."""

SURE_FIRST = frozenset(
    """
    dear geehrte geehrter geehrtes liebe lieber liebes werte werter wertes estimado estimada querido querida gentile gent
    egregio egregia beste my the her his their full first last whose name naam namn jag mijn ik la ich mein je mon nom me mi nombre il nome in under auf au a
    intestato intestata cardholder account kontoinhaber kontoinhaberin titular titulaire intestatario recipient
    empfänger empfängerin destinataire destinatario attn c z signed gezeichnet for à all zu t ter mr mrs ms miss mister dr prof herr herrn
    frau mme mlle monsieur madame señor señora sra srta doña signor signora signorina sig mevrouw dhr dott dottor dottoressa avv m
    mag lic rag geom fam ing
    """.split()
)
"""The first words of `SURE` and `TITLE_ALONE`: the patterns are only tried where one of them stands."""

GREETING_FIRST = frozenset(
    """
    hi hello hey hiya heya howdy greetings morning afternoon evening hallo hallöchen moin servus tag morgen
    abend grüezi bonjour bonsoir salut coucou cher chère chere hola buenas días tardes noches ciao salve
    buongiorno buonasera caro cara hej
    """.split()
)

THANKS_FIRST = frozenset(
    "thanks thank thx ty cheers danke dank merci gracias grazie obrigado obrigada tack bedankt".split()
)

CLOSING_FIRST = frozenset(
    """
    regards wishes rgds br yours sincerely faithfully truly respectfully best care love xoxo grüße grüßen grüsse
    grüssen gruß gruss hochachtungsvoll mfg lg vg bg ihr ihre eure euer dein cordialement cdt cdlt vous amicalement
    sincèrement salutations bises bientôt saludo saludos atentamente atte abrazo abrazos cordialmente saluti saluto
    presto fede hälsning hälsningar hälsningen mvh groet groeten groetjes
    """.split()
)

PERSON_FIRST = frozenset(
    """
    this it its i im here ich hier je c ici soy aquí habla le sono qui parla scrive spoke speak talk talked talking chat
    chatted chatting agent colleague advisor assistant served helped handled to met told advised informed promised ask kollege kollegin kollegen mitarbeiter
    mitarbeiterin mit votre conseiller conseillère avec su con il la addressed deliver delivered send sent husband wife
    son daughter brother sister mother father friend mann sohn tochter mari femme marido hijo hija marito moglie figlio
    figlia manager technician driver courier operator technicien technicienne técnico técnica tecnico operatore operatrice
    sachbearbeiter sachbearbeiterin techniker berater beraterin law
    """.split()
)

ROLE_FIRST = frozenset(ROLE.split("|"))

RELATED_FIRST = frozenset(
    """
    husband wife son daughter brother sister mother father mum mom dad friend partner neighbour mann frau sohn tochter bruder schwester
    mutter vater mari femme fils fille frère sœur mère père marido mujer hijo hija hermano hermana madre padre marito moglie figlio figlia
    fratello sorella man vrouw zoon dochter
    """.split()
)

LABEL_FIRST = frozenset(
    """
    on de im en da per namens reservation booked booking guests passengers passagers pasajera pasajeros passeggeri gäste
    lodged raised reported submitted ordered requested written prepared filed signed gemeldet erstellt bestellt
    full first last customer contact buyer buyers sender senders my name names surname vor vorname nachname kundenname nom prénom nombre
    apellido apellidos nome cognome voornaam achternaam naam namn caller client passenger guest patient tenant insured policy
    policyholder kunde kundin anrufer anruferin besteller bestellerin ansprechpartner ansprechpartnerin gast reisende reisender
    versicherte versicherter mieter mieterin cliente appelant appelante passager assuré assurée voyageur voyageuse contacto titular
    titulaire payee beneficiary bénéficiaire beneficiario beneficiaria begünstigte begünstigter begünstigten begunstigde
    pasajero asegurado asegurada chiamante passeggero assicurato assicurata intestatario klant beller passagier contactpersoon kontakt
    """.split()
)
"""The first words of `LABEL`."""

SPEAKING_FIRST = frozenset("speaking calling am à al writing wrote schrieb a escribió ha schreef skrev".split())

# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Closing formulas of mails and words of signatures, by language. Lower case."""

from __future__ import annotations

import re

_GRUSS = r"(?:gr[üu]e?(?:ß|ss)(?:e|en)?|gruß|gruss)"
_GROET = r"(?:groet(?:en|jes)?)"
_FORMULAS = (
    # English
    r"(?:with )?(?:my |our )?(?:best|kind|kindest|warm|warmest|many|good|friendly)?,? ?(?:and warm |and best )?(?:regards|rgds|greetings|wishes)(?: to you all| to all)?",
    r"(?:yours )?(?:very )?(?:sincerely|faithfully|truly|respectfully)(?: yours)?|yours|cordially|b/?rgds|rgrds|br|kr|bw|all the best|with appreciation",
    # German
    rf"(?:mit |ganz )?(?:(?:den |recht )?(?:freundlich|best|lieb|viel|herzlich|schön|sonnig|nett|fröhlich)(?:e|en|em|er|es|ste|sten)?(?: und (?:lieb|best|herzlich)(?:e|en))? )?{_GRUSS}(?: aus| nach| in)?|mfg|lg|vg|bg|glg|hg"
    r"|mit freundlicher empfehlung|hochachtungsvoll|freundlichst|herzlichst|es grüßt(?: sie| euch)?(?: freundlich| herzlich)?",
    # French
    r"(?:bien |très |trés )?cordialement|bien à vous|(?:mes |nos )?(?:sincères |meilleures |cordiales )?salutations(?: distinguées| les meilleures| cordiales)?|cdlt|cdt|cdmt|slts|bien cdlt|amicalement|sincèrement|respectueusement"
    r"|(?:je vous prie|veuillez|nous vous prions|dans cette attente, veuillez|en vous remerciant)[^.]{0,120}(?:salutations|sentiments|considération)[^.]{0,40}",
    # Spanish
    r"(?:un |mis |reciba un |recibe un |reciban un |cordiales |muchos |atentos )?(?:cordial |afectuoso |atento )?saludos?(?: cordial(?:es)?| afectuosos?)?(?: a todos)?|(?:muy )?atentamente|atte|(?:le|les|se despide|se despide y le) saluda(?:n)?(?: atentamente| cordialmente| muy atentamente)?|cordialmente|slds|sds|un (?:fuerte )?abrazo|sin otro particular[^.]{0,60}",
    # Portuguese
    r"(?:com )?(?:os |meus )?(?:melhores |cordiais )?cumprimentos|atenciosamente|att|atte|cordialmente|(?:um |grande )?(?:forte )?abraços?|abs|abç|cumps|cpts|bjs|beijinhos|(?:cordiais )?saudações(?: cordiais)?|respeitosamente",
    # Italian
    r"(?:i miei |i |con i |i più |un |tanti )?(?:cordial[ie]|distinti|migliori|più cordiali|cari|gentili|caro)? ?salut[io](?: cordiali| a tutti)?|cordialmente|[^.?!]{0,60}(?:porgo|porgiamo|invio) (?:i miei |i più |i )?(?:cordiali|distinti) saluti",
    # Dutch
    rf"(?:met )?(?:de |veel )?(?:vriendelijke?|hartelijke?|beste|lieve|warme|zonnige)?(?: en \w+)? ?{_GROET}(?: uit)?|mvg|m\.?v\.?g|gr|vr\.? ?gr|hoogachtend|liefs",
    # Polish
    r"(?:serdecznie |gorąco )?pozdrawiam(?: serdecznie| ciepło)?|z poważaniem|(?:łączę |z |serdeczne )?(?:serdecznymi )?pozdrowieni(?:a|ami)|z wyrazami szacunku|pozdr|pozdro|pzdr|z szacunkiem",
    # Swedish, Danish, Norwegian, Finnish
    r"(?:med )?(?:vänlig|bästa|många|varma|venlig|vennlig|kærlig|mange|beste|de bedste)?a? ?(?:hälsning(?:ar)?|hilsen|hilsner|hilsninger)|mvh|vänligen|vh|(?:ystävällisin |parhain )?terveisin|ystävällisesti",
    # Turkish, Czech, Russian, Hungarian, Romanian, Greek
    r"saygılarım(?:la|ızla)|saygılar|iyi çalışmalar(?: dilerim)?|sevgiler(?:imle)?|selamlar|s (?:přátelským )?pozdravem|с уважением|üdvözlettel|tisztelettel|cu (?:stimă|respect)|με εκτίμηση",
)
_THANKS = (
    r"(?:many |a thousand )?thanks?(?: you)?(?: (?:so|very) much| a lot| a million| again| in advance| for your help| for your time| for your reply)*|thx|ty|tia|cheers|ta|best|love|take care|x{1,4}|xoxo|have a (?:nice|great|good|lovely) (?:day|weekend|evening)|speak soon",
    r"(?:vielen|herzlichen|besten|lieben|tausend)? ?dank(?:e)?(?: (?:im voraus|vorab|schon mal|euch|ihnen|für ihre hilfe|schön|für ihre mühe|schonmal))*|dankeschön|tschüss|bis bald|bis dann|ciao|schönen tag(?: noch)?|schönes wochenende|ihre?",
    r"(?:(?:un )?grand )?merci(?: (?:d'avance|beaucoup|bien|à vous|par avance|pour votre aide))*|bonne (?:journée|soirée|réception)|à bientôt|bises|bien à toi",
    r"(?:muchas|muchísimas|mil)? ?gracias(?: (?:de antemano|por adelantado|por todo|por su ayuda|anticipadas))*|quedo a la espera|besos",
    r"(?:muito )?obrigad[oa](?: (?:desde já|pela atenção|pela ajuda))*|(?:desde já )?(?:agradeço|grat[oa])(?: desde já)?|desde já,? (?:muito )?obrigad[oa]|tenha um bom dia|bom trabalho",
    r"(?:mille |tante )?grazie(?: (?:mille|in anticipo|anticipatamente|e a presto))*|(?:vi |la )?ringrazio(?: (?:in anticipo|anticipatamente))?|buona (?:giornata|serata)|buon lavoro|a presto",
    r"(?:alvast |hartelijk |heel erg )?bedankt(?: alvast| voor uw hulp)?|(?:bij voorbaat )?(?:hartelijk |veel )?dank(?: u| je)?(?: wel)?|fijne dag(?: nog)?|tot ziens",
    r"(?:z góry |bardzo |serdecznie )?dziękuję(?: (?:z góry|za pomoc|bardzo))?|dzięki(?: z góry)?|miłego dnia|tack(?: på förhand| så mycket)?|(?:på forhånd )?takk?(?: på forhånd)?|kiitos(?: etukäteen)?|(?:şimdiden )?teşekkür(?:ler| ederim)|iyi günler(?: dilerim)?|спасибо|děkuji",
)
_AND = r"(?:,? ?(?:and|&|\+|und|et|y|e|i|en|och|og|ve|a) |, ?| )"

_ANY_THANKS = "|".join(_THANKS)
FORMULA = re.compile(rf"(?:(?:{_ANY_THANKS}){_AND})?(?:{'|'.join(_FORMULAS)})(?![^\W_])", re.IGNORECASE)
"""A formula that closes a mail even where no name follows."""
THANKS = re.compile(rf"(?:{_ANY_THANKS})(?:{_AND}(?:{_ANY_THANKS}))?(?![^\W_])", re.IGNORECASE)
"""Words that close a mail only where a name follows: "Thanks," and "Anna"."""

PARTICLES = frozenset(
    "van der den de het von dem vom zu la las los del della dei di da dos du des le ter ten el al bin ibn af y e und and x xx xxx".split()
)

ROLES = frozenset(
    """
    manager director ceo cto cfo coo founder owner assistant purchasing sales accountant accounting accounts engineer consultant secretary administrator
    einkauf vertrieb buchhaltung geschäftsführer geschäftsführerin inhaber inhaberin leiter leiterin sekretariat verwaltung assistenz abteilung
    comptable comptabilité directeur directrice gérant gérante achats responsable service secrétaire compras ventas contabilidad gerente director directora
    administración departamento dpto financeiro comercial diretor diretora gestor gestora ufficio acquisti amministrazione direttore titolare responsabile
    inkoop verkoop boekhouding directeur eigenaar administratie kierownik księgowość dyrektor właściciel specjalista dział inköp ekonomi vd
    """.split()
)
"""Words that make a line below a name a job title."""

REFERENCES = re.compile(
    r"\b(?:order|orders|ordernumber|invoice|ticket|tracking|customer|account|case|reference|ref|booking|bestell\w*|auftrag\w*|kunden\w*|rechnung\w*|sendung\w*|vorgang\w*"
    r"|commande|facture|client|dossier|référence|pedido|factura|cliente|encomenda|fatura|fattura|ordine|bestelling|bestelnummer|factuur\w*|klant\w*|zamówieni\w*|faktur\w*)\b",
    re.IGNORECASE,
)
"""Words of numbers that a customer writes below the name: they stay own text."""

FIRST_WORDS = frozenset(
    word[:4]
    for word in """
    with my our best kind kindest warm warmest many good friendly regards rgds greetings wishes yours very sincerely faithfully truly respectfully cordially b brgds br kr all
    mit ganz den recht freundlich beste besten bester bestem liebe lieben lieber liebem viele vielen vieler herzliche schön schöne sonnige nette fröhliche grüße grüsse gruß gruss gruesse
    grueße mfg lg vg bg glg hochachtungsvoll freundlichst herzlichst es
    bien très trés cordialement mes nos sincères meilleures cordiales salutations cdlt cdt amicalement sincèrement respectueusement cdmt slts slds sds cumps cpts bjs beijinhos abç gr vr rgrds bw hg
    un mis reciba recibe reciban muchos atentos cordial afectuoso atento saludo saludos muy atentamente atte saluda saludan cordialmente
    com os meus melhores cumprimentos atenciosamente att um grande forte abraço abraços abs cordiais saudações respeitosamente
    con più tanti cordiali cordiale distinti migliori cari gentili caro saluti saluto
    met de veel vriendelijke hartelijke lieve warme zonnige groet groeten groetjes mvg m hoogachtend liefs
    serdecznie gorąco pozdrawiam z łączę serdeczne pozdrowienia pozdr pzdr
    med vänlig vänliga bästa många varma venlig vennlig kærlig mange hälsning hälsningar hilsen hilsner mvh vänligen vh ystävällisin parhain terveisin ystävällisesti
    saygılarımla saygılar iyi sevgiler sevgilerimle selamlar s с üdvözlettel tisztelettel cu με
    thanks thank a thx ty tia cheers ta love take x xx xxx xxxx xoxo have speak
    herzlichen tausend dank danke dankeschön tschüss bis ciao schönen schönes ihr ihre
    grand merci bonne à bises muchas muchísimas mil gracias quedo besos muito obrigado obrigada desde agradeço grato grata tenha bom
    mille tante grazie vi la ringrazio buona buon alvast hartelijk heel bedankt bij fijne tot bardzo dziękuję dzięki miłego
    tack på takk tak kiitos şimdiden teşekkür teşekkürler спасибо děkuji
    """.split()
)
"""The first four letters of all closing formulas: a line that begins in another way closes no mail."""

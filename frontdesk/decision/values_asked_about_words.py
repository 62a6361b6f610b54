"""Words that say whether a value of a message is settled, open or taken back, in eight languages, as patterns.

The patterns match text from `fold_text` in which a value is a number between NULs (`values_asked_about.py`).
"""

from __future__ import annotations

import re


def _words(*phrases: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)")


_NOUNS = (
    r"(?:the|my|our|about|for|with|order|orders|order\s?number|number|numbers|no|nr|nos|parcel|package|one|number"
    r"|message|mail|email|e-mail|request|ticket|question|on|of|from|account|address"
    r"|die|der|das|den|meine|meiner|bestellung|bestellnummer|auftrag|nummer|um|wegen|zu"
    r"|la|le|l|ma|commande|numéro|n|de|el|mi|pedido|número|il|lo|mio|ordine|numero|di|del|dell"
    r"|de|mijn|bestelling|a|o|minha|encomenda|do|da|zamówienie|zamówienia|zamówieniu|numer|moje)"
)
NUMBER_ABBREVIATION = re.compile(
    r"no(?<!\wno)(?:(?<=order no)|(?<=orders no)|(?<=purchase no)|(?<=invoice no)|(?<=account no)|(?<=parcel no)"
    r"|(?<=package no)|(?<=pedido no)|(?<=and no)|(?<=or no)|(?=s?\s?[.:]))s?\s?[.:]?\s?(?=#?\0)"
)
"""The abbreviation "no." of "number" before a value, which does not reject the value. Starts with "no" to be fast."""
_FILLERS = rf"(?:\s*(?:{_NOUNS}(?![\w])|[#:.'(\"°º-])){{0,6}}\s*\Z"

SETTLED = _words(
    r"arrived|received|delivered|came|got|refunded|resolved|solved|sorted|settled|completed|done|fine|ok|okay",
    r"picked up|turned up|have it",
    r"(?:is|are) (?:already |now |all )?(?:here|good|closed|great|perfect)",
    r"(?:was|were|is|are|been|already) cancell?ed",
    r"(?:did|has|was)(?=\s*\Z)",
    r"thanks for|thank you for|all good|no problem with|nothing to do with",
    r"angekommen|erhalten|eingetroffen|zugestellt|geliefert|erledigt|erstattet|bekommen|gekommen|in ordnung|schon da",
    r"ist da|danke für|storniert",
    r"arrivée?s?|reçue?s?|livrée?s?|remboursée?s?|réglée?s?|merci pour|bien reçu",
    r"llegó|llegaron|llegado|recibí|recibido|entregado|resuelto|reembolsado|está bien|gracias por",
    r"arrivat[oaie]|ricevut[oaie]|consegnat[oaie]|rimborsat[oaie]|risolt[oa]|a posto|grazie per|va bene",
    r"aangekomen|ontvangen|geleverd|bezorgd|terugbetaald|opgelost|in orde|bedankt voor|is binnen",
    r"chegou|chegaram|recebi|recebid[oa]|entregue|reembolsad[oa]|resolvid[oa]|está bem|obrigad[oa] pel[oa]",
    r"dotarł[oaey]?|doszł[oaey]|otrzymał[ea]m|odebrał[ea]m|przyszł[oaey]|dostarczon[oeay]|zwrócon[oeay]|załatwion[oeay]",
    r"dziękuję za|jest ok",
)
OPEN = _words(
    # negation
    r"not|never|no|none|neither|nor|without|still|yet|cannot|\w{2,9}n't|(?:has|have|is|was|did|does|are|were|do)nt",
    r"nicht|noch|kein\w{0,2}|nie|pas|jamais|toujours|encore|non|ancora|mai|niet|geen|nog|não|nao|ainda|nunca|aún|todavía",
    r"nie|jeszcze|ani",
    # questions and requests
    r"where|when|why|what|how|which|whether|if|can|could|would|will|should|shall|please|want|need|like to|supposed|due",
    r"says|shows|marked|status|tracking|waiting|expect(?:ing|ed)?|cancel|change|return(?:ing)?|send back|sent back",
    r"wo|wann|warum|wie|ob|soll(?:te)?|möchte|will|bitte|kann|könnten|fehlt|où|quand|pourquoi|comment|veux|voudrais",
    r"dónde|donde|cuándo|cuando|quiero|quisiera|puede|falta|dove|quando|perché|vorrei|manca|waar|wanneer|waarom|wil|graag",
    r"ontbreekt|onde|porque|queria|quero|gdzie|kiedy|dlaczego|chcę|chciał[ea]?bym|proszę|brakuje|czy",
    # problems
    r"broken|damaged|late|wrong|missing|faulty|defective|incomplete|empty|lost|problem|issue|issues|twice|half|only",
    r"torn|leaking|cracked|smashed|stained|instead|dead|bad|badly",
    r"kaputt|beschädigt|falsch\w{0,2}|defekt|verspätet|cassée?|endommagée?|roto|rota|dañad[oa]|rott[oa]|danneggiat[oa]",
    r"kapot|beschadigd|verkeerd|partid[oa]|danificad[oa]|errad[oa]|uszkodzon[eay]|zepsut[eay]|zł[eay]",
)
RESOLVED = _words(
    r"solved|resolved|sorted|settled|fixed|closed|gelöst|erledigt|geklärt|résolue?|réglée?",
    r"resuelt[oa]|solucionad[oa]|risolt[oa]|opgelost|resolvid[oa]|rozwiązan[yae]|załatwion[yae]",
)
"""Words that settle a value although the clause names a problem."""
NEGATION = _words(
    r"not|never|no|isn't|wasn't|hasn't|aren't|nicht|noch|nie|pas|jamais|non|mai|niet|nog|não|nunca|ainda|todavía|jeszcze"
)
REJECTED = re.compile(
    # Not "I did not order 1"; and "no" only in Spanish: not "no mail about 1".
    r"(?<!\w)(?:(?<!did )(?<!do )not|no(?=[ '\"(#]*(?:(?:el|la|al|del|de|mi|pedido|número)\b[ '\"(#]*){0,3}\Z)"
    r"|ignore|forget|disregard|never mind|nevermind|skip|leave out|apart from|other than|except|besides"
    r"|(?:don't|do not|didn't|did not) mean|isn't|is not"
    r"|nicht|ignorieren sie|vergessen sie|ausser|ignorez|oubliez|pas|sauf|ignore|olvide|no es|salvo|ignori|ignorate"
    r"|dimentichi|non|tranne|negeer|vergeet|niet|behalve|ignorem|esqueça|não|exceto|nie|oprócz|proszę zignorować)"
    rf"(?:\s*(?:{_NOUNS}(?!\w)\.?|[#'(\"°º-])){{0,6}}\s*\Z"
)
DISMISSED = _words(
    r"(?:ignore|forget(?: about)?|disregard|skip|leave out|never mind|nevermind)"
    r" (?:it|that|this|that one|this one|the (?:first|second|other|former|latter)(?: one)?)",
    r"(?:that|this) (?:one|order) (?:doesn't|does not) matter",
    r"(?:don't|do not) worry about (?:it|that|that one|this one)",
    r"(?:vergessen|ignorieren) sie (?:die|diese|das|es|dies)|(?:die|diese|das) können sie (?:vergessen|ignorieren)",
    r"(?:ignorez|oubliez)-l[ae]|(?:ignorez|oubliez) (?:celle-là|celle-ci|ça|cela)",
    r"(?:olvide|olviden|ignore|ignoren) (?:ese|este|eso|esto|esa|esta)|ignórelo|olvídelo",
    r"(?:lo|la) (?:ignori|ignorate|dimentichi)|(?:ignori|dimentichi) (?:quello|quella|questo|questa)",
    r"(?:vergeet|negeer) (?:die|dat|deze|dit)(?: maar)?",
    r"(?:ignore|ignorem|esqueça|esqueçam) (?:essa|esse|isso|esta|este)",
    r"proszę (?:to|tamto|je|go) zignorować|proszę zapomnieć o (?:tym|tamtym)",
)
"""Takes back a value that was mentioned before: "ignore that one"."""
INSTEAD = re.compile(
    r"(?<!\w)(?:instead of|rather than|in place of|statt|anstatt|anstelle von|anstelle|au lieu de|en lugar de|en vez de"
    r"|invece di|invece dell?|in plaats van|em vez d[eao]|zamiast)" + _FILLERS
)
MEANT = re.compile(
    r"(?<!\w)(?:i mean|i meant|meant|sorry|correction|actually|rather|should be|should have been|should read"
    r"|it's really"
    r"|(?:right|correct) (?:one|number|order|order number) is|sondern|ich meine|ich meinte|gemeint ist|richtig ist"
    r"|je veux dire|je voulais dire|mais|quiero decir|quería decir|sino|intendo|intendevo|volevo dire|bensì"
    r"|ik bedoel|ik bedoelde|quero dizer|queria dizer|mam na myśli|chodzi o|miał[ea]m na myśli)(?:,)?" + _FILLERS
)
MISTAKEN = _words(r"wrote|written|typed|gave|given|entered|put|quoted|said|mentioned|schrieb|geschrieben|angegeben")
WRONG_ITEM = _words(r"received|got|get|delivered|sent|shipped|erhalten|bekommen|reçu|recibí|ricevuto|ontvangen|recebi")
PRONOUN_START = re.compile(r"\s*(?:it|this|that|they|those|these|which|es|sie|das|il|elle|ça)(?:'s)?(?!\w)")
BOTH = _words(r"both|all of them|beide|les deux|tous les deux|ambos|ambas|entrambi|entrambe|allebei|oba|obie")
ORDINAL = re.compile(
    r"(?<!\w)(?:(?P<first>the first|the former|die erste|la première|el primero|il primo|de eerste|o primeiro|pierwsze)"
    r"|the second|the latter|the other|die zweite|die andere|la deuxième|la seconde|l'autre|el segundo|el otro"
    r"|il secondo|l'altro|de tweede|de andere|o segundo|o outro|a outra|drugie)(?!\w)"
)
REFERS_BACK = re.compile(f"{PRONOUN_START.pattern}|{BOTH.pattern}|{ORDINAL.pattern}|{DISMISSED.pattern}")
"""A sentence without a value that may say something about an earlier one."""

_AND = r"(?:and|or|und|oder|sowie|et|ou|y|o|e|ed|en|of|i|oraz|lub|as well as|&|\+|/)"
CLAUSE_BOUNDARY = re.compile(
    r",|[()]|\s[-–—]\s|(?<!\w)(?:but|however|whereas|while|though|and|aber|und|sondern|mais|et|pero|sino|y|ma|e|maar"
    r"|mas|ale|natomiast|while|en(?! (?:lugar|vez|attente)))(?!\w)"
)
LIST_CONTINUES = re.compile(
    rf"(?:\s*,\s*(?:{_AND}\s+)?(?:#\s?)?(?=\0)|\s*{_AND}\s+(?:{_NOUNS}\s+|#\s?|also\s+|auch\s+){{0,3}}(?=\0))"
)
ONLY_A_VALUE = re.compile(rf"\s*(?:{_NOUNS}\s*|[#:.]\s*){{0,5}}\0\d+\0\s*")

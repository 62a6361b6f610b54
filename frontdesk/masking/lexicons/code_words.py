# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Words that announce a security code, PIN, TAN or one-time code, and words that announce other numbers."""

from __future__ import annotations

from frontdesk.masking.lexicons import read_word_lists

_WORDS = read_word_lists("code_words")

_TAN_PREFIX = "push|chip|sms|photo|foto|app|qr|smart|secure|mobile|mobil|web|[aimeq]"

CUES = (
    # abbreviations
    r"cv[vcn][ -]?2?|ccv2?|cv2|csc|otp|(?-i:CVD|CAV2?|CID|TAN)|pin[ -]?(?:code|number|nummer|kode|kod|nr)?|puk"
    rf"|(?:{_TAN_PREFIX})-?tans?|tan[ -]?(?:code|nummer|nr)|tan(?=[ ](?:ist|war|lautete?)\b)"
    # English
    r"|(?:card[ -])?(?:security|verification|validation)[ -]?(?:code|digits|value)|card[ -](?:security|verification|validation)[ -]number|card[ -]code|security number|last (?:three|3) digits|passcode|pin code"
    r"|(?:one|single)[ -](?:time|use)[ -](?:code|password|passcode|pin)|(?:access|activation|authentication|authori[sz]ation|auth|log-?in|sign-?in|sms|unlock|2?fa|two-factor|mfa)[ -]code"
    r"|(?:(?:the|last|my) ){0,2}(?:(?:three|four|3|4)[ -]?)?(?:digits?|numbers?|code|digit (?:code|number))(?: code| number)?(?: (?:(?:on|at|from|of) )?(?:the |its |my )?(?:back|rear|front|reverse)(?: side)?)(?: of (?:my|the) card)?"
    r"|(?:(?:the|last|my) ){0,2}(?:three|four|3|4)?[ -]?digit[ -](?:security )?(?:code|number|pin)|(?:the|my) last (?:three|four|3|4)(?: digits)?(?: are| is| (?:on|at|from|of) (?:the |its )?back)"
    r"|(?:digits?|number|code) on the (?:back|rear|reverse)"
    r"|code (?:that |which )?(?:i (?:got|received)|you sent(?: me)?|sent|received|came)(?: to me)? (?:by|via|in a|as a|over) (?:text|sms|e-?mail|phone)(?: message)?"
    # German
    r"|code,? (?:der )?(?:per|via|aus der|in der) (?:sms|e-?mail)(?: kam)?"
    r"|(?:karten)?(?:prüf|pruef|sicherheits|kontroll|verifizierungs|bestätigungs|geheim)-?(?:ziffern?|nummer|nr|code|zahl)"
    r"|(?:freigabe|freischalt|aktivierungs|einmal|zugangs|anmelde|login|transaktions|autorisierungs|authentifizierungs)-?code|transaktionsnummer|einmal-?(?:passwort|kennwort|pin|tan)"
    r"|(?:(?:drei|vier)(?:stelligen?)? )?(?:ziffern|zahlen|code|nummer) (?:auf|von) der (?:rückseite|vorderseite)|geheimzahl"
    # French
    r"|cryptogramme(?: visuel)?|code (?:de )?(?:sécurité|securite|secret|confidentiel|vérification|validation|confirmation|pin|cvv|cvc|carte|sms)|code d['’](?:accès|activation|authentification|autorisation)|(?:code|mot de passe) à usage unique"
    r"|(?:(?:trois|quatre) )?(?:derniers )?(?:chiffres|code) (?:au|du) (?:dos|verso)"
    r"|code (?:que j['’]ai )?(?:reçu|recu|envoyé) (?:par|via) (?:sms|texto|e-?mail)"
    # Spanish
    r"|c[óo]digo (?:que me (?:llegó|mandaron|enviaron) |recibido |enviado )?(?:por|via|vía) (?:sms|mensaje|e-?mail)"
    r"|c[óo]digo (?:de )?(?:seguridad|verificaci[óo]n|secreto|validaci[óo]n|activaci[óo]n|autorizaci[óo]n|autenticaci[óo]n|acceso|un solo uso|cvv|cvc|pin|sms|otp)|clave(?: secreta| de un solo uso| de acceso)?|n[úu]mero secreto"
    r"|(?:(?:tres|cuatro) )?d[íi]gitos (?:de atr[áa]s|del reverso|por detr[áa]s|al dorso)"
    # Italian
    r"|codice (?:che ho )?(?:ricevuto |arrivato |inviato )?(?:via|per|con) (?:sms|e-?mail)"
    r"|codice (?:di )?(?:sicurezza|verifica|segreto|controllo|attivazione|autorizzazione|autenticazione|accesso|monouso|usa e getta|cvv|cvc|pin|sms|otp)|(?:(?:tre|quattro) )?cifre (?:sul|dietro|del) retro"
    # Dutch, Swedish
    r"|(?:beveiligings|veiligheids|verificatie|controle|inlog|toegangs|activerings)-?(?:code|nummer|cijfers?|getal)|eenmalige code|pincode"
    r"|(?:säkerhets|kontroll|verifierings|engångs|inloggnings|aktiverings)-?(?:kod|koden|siffror|siffrorna|nummer|lösenord)|pinkod(?:en)?|koden"
)
FIRST_WORDS = frozenset(_WORDS["first_words"])
CODE_WORDS = (FIRST_WORDS - frozenset(_WORDS["not_announcing"])) | frozenset(_WORDS["also_announcing"])
"""Every text with a cue contains one of these words."""

FAR_CUE = (
    r"(?:cv[vcn]2?|ccv2?|cv2|csc|pin(?:code)?|otp|puk|passcode|(?:security|sicherheits|verification|authentication|access|login) ?code|geheimzahl|cryptogramme"
    rf"|(?-i:TAN)|(?:{_TAN_PREFIX})-?tans?|tan[ -]?(?:code|nummer|nr)|one[ -]time[ -](?:code|password|passcode|pin)|(?:freigabe|freischalt|aktivierungs|bestätigungs|verifizierungs|einmal|zugangs)-?code)"
)
FAR_WORDS = frozenset(_WORDS["far_words"])

TYPED_AFTER = "ein(?:getippt|gegeben|getragen)"
TYPED_BEFORE = "(?:entered|typed|keyed|punched|put)(?: it| that)?(?: in)?|saisi|tapé|entré|introduc(?:ido|í)|metido|metí|escrito|marcado|puesto|inserito|digitato"
"""Words for typing, after and before a code."""

NO_CODE_BEHIND = frozenset(_WORDS["no_code_behind"])
OTHER_NUMBERS = frozenset(_WORDS["other_numbers"])

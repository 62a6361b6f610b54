# ruff: noqa: E501  -- lists and patterns read better unbroken
"""The words that announce a security code, a PIN, a TAN or a one-time code, and the words that announce other numbers."""

from __future__ import annotations

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
FIRST_WORDS = frozenset(
    """
    cvv cvc cvn ccv cv cvd csc cav cid tan otp pin puk card security verification validation passcode one single the last my three four digit digits number code
    access activation authentication authorization authorisation auth login log signin sign sms unlock fa two mfa
    pushtan chiptan smstan phototan fototan apptan qrtan smarttan securetan mobiletan mobiltan webtan atan itan mtan etan qtan push chip photo foto app qr smart secure mobile mobil web
    pushtans chiptans smstans phototans mtans itans tancode tannummer tannr
    kartenprüfziffer kartenprüfnummer kartenprüfzahl prüfziffer prüfziffern prüfnummer prüfzahl prüfcode pruefziffer pruefnummer sicherheitscode sicherheitsnummer
    sicherheitszahl sicherheits kartensicherheitscode kontrollziffer kontrollziffern kontrollnummer kontrollcode kontrollzahl verifizierungscode verifizierungsnummer
    bestätigungscode geheimzahl geheimnummer geheimcode karten prüf drei vier
    freigabecode freischaltcode aktivierungscode einmalcode zugangscode anmeldecode logincode transaktionscode autorisierungscode authentifizierungscode transaktionsnummer
    freigabe freischalt aktivierungs zugangs anmelde transaktions einmal einmalpasswort einmalkennwort einmalpin einmaltan
    cryptogramme chiffres derniers dígitos digitos cifre ziffern zahlen nummer trois quatre código codigo clave número numero tres cuatro codice tre quattro mot
    beveiligingscode veiligheidscode veiligheidsnummer verificatiecode controlegetal controlecijfers controlecode beveiligingsnummer pincode pinnummer pinnr
    inlogcode toegangscode activeringscode eenmalige
    säkerhetskod säkerhetskoden säkerhetsnummer kontrollsiffror kontrollsiffrorna kontrollkod verifieringskod pinkod pinkoden pinkode koden
    engångskod engångskoden engångslösenord inloggningskod aktiveringskod
    """.split()
)
"""The first words of `CUES`: the pattern is only tried where one of them stands."""
ANNOUNCING = FIRST_WORDS - frozenset(
    """
    the last my one single number numero número three four two drei vier tre trois tres access log sign sms push chip photo foto app qr smart
    secure mobile mobil web mot einmal
    """.split()
) | frozenset("back rear reverse password passwort kennwort passe".split())
"""Words without which no cue stands in a text."""

FAR_CUE = (
    r"(?:cv[vcn]2?|ccv2?|cv2|csc|pin(?:code)?|otp|puk|passcode|(?:security|sicherheits|verification|authentication|access|login) ?code|geheimzahl|cryptogramme"
    rf"|(?-i:TAN)|(?:{_TAN_PREFIX})-?tans?|tan[ -]?(?:code|nummer|nr)|one[ -]time[ -](?:code|password|passcode|pin)|(?:freigabe|freischalt|aktivierungs|bestätigungs|verifizierungs|einmal|zugangs)-?code)"
)
FAR_WORDS = frozenset(
    """
    cvv cvc cvn ccv cv csc pin pincode otp puk passcode security sicherheitscode verification authentication access login geheimzahl cryptogramme
    one tan tancode tannummer pushtan chiptan smstan phototan fototan apptan qrtan smarttan securetan mobiletan mobiltan webtan itan mtan etan push chip sms photo foto
    freigabecode freischaltcode aktivierungscode bestätigungscode verifizierungscode einmalcode zugangscode
    """.split()
)
"""The first words of `FAR_CUE`."""

TYPED_AFTER = "ein(?:getippt|gegeben|getragen)"
TYPED_BEFORE = "(?:entered|typed|keyed|punched|put)(?: it| that)?(?: in)?|saisi|tapé|entré|introduc(?:ido|í)|metido|metí|escrito|marcado|puesto|inserito|digitato"
"""Words for typing that stand after a code, and before one."""

NO_CODE_BEHIND = frozenset(
    """
    error errors fehler erreur errore code status order bestellung ticket case since seit depuis desde dal page in room about after within over
    promo step line http windows version model size than least a an per only every wrong
    """.split()
)
"""A cue does not reach over these words without a verb before the number."""
OTHER_NUMBERS = frozenset(
    """
    error errors err errno status page room size model ext extension flat apartment house street version than over under within for per paid
    charged price cost costs total amount eur usd gbp chf year since in fehler seit seite zimmer größe depuis desde dal order orders bestellung
    http https step ending ends endet terminant statuscode httpstatus httpcode errorcode responsecode response returned returns exit retry retries
    timeout line port row attempt attempts count length duration elapsed latency took limit offset qty quantity level build
    """.split()
)
"""Words that say what a number is, when it is no code."""

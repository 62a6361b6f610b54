"""Invalid tokens, all derived from a valid one: forged, expired, confused or damaged.

Tokens with another fault have a valid signature, so that only the check for that fault can reject them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from dataclasses import dataclass
from typing import Any

from frontdesk.security.token_keys import SigningKey
from frontdesk.security.tokens import MAX_TOKEN_CHARACTERS

OTHER = SigningKey(kid="ffffffff", secret=b"o" * 32)


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass(frozen=True)
class Forger:
    """Creates tokens with the server's `key` around the time `now` (seconds since 1970)."""

    key: SigningKey
    now: int

    @property
    def header(self) -> dict[str, Any]:
        return {"alg": "HS256", "typ": "JWT", "kid": self.key.kid}

    @property
    def claims(self) -> dict[str, Any]:
        return {
            "iss": "frontdesk",
            "aud": "frontdesk",
            "sub": "demo",
            "tenant": "acme",
            "scope": "understand answer",
            "iat": self.now,
            "nbf": self.now,
            "exp": self.now + 3600,
        }

    def forge(
        self, header: object = None, claims: object = None, secret: bytes | None = None, digest: str = "sha256"
    ) -> str:
        """A token with any header and claims, correctly signed with `secret`."""
        signed = f"{part(self.header if header is None else header)}.{part(self.claims if claims is None else claims)}"
        key = self.key.secret if secret is None else secret
        return f"{signed}.{part(hmac.new(key, signed.encode(), getattr(hashlib, digest)).digest())}"

    def with_header(self, **changes: object) -> str:
        return self.forge(header={**self.header, **changes})

    def with_claims(self, **changes: object) -> str:
        return self.forge(claims={**self.claims, **changes})

    def without(self, claim: str) -> str:
        return self.forge(claims={name: value for name, value in self.claims.items() if name != claim})

    def unsigned(self, alg: str) -> str:
        return f"{part({**self.header, 'alg': alg})}.{part(self.claims)}."


def forged_tokens(key: SigningKey, now: int, margin_s: int = 31) -> dict[str, str]:
    """All invalid tokens by their fault, for a server with this key; `margin_s` is larger than the leeway."""
    forger = Forger(key, now)
    forge, with_header, with_claims = forger.forge, forger.with_header, forger.with_claims
    without, unsigned = forger.without, forger.unsigned
    header, claims = forger.header, forger.claims
    good = forge()
    first, second, signature = good.split(".")
    return {
        "alg none without a signature": unsigned("none"),
        "alg None without a signature": unsigned("None"),
        "alg NONE without a signature": unsigned("NONE"),
        "alg nOnE without a signature": unsigned("nOnE"),
        "alg none with a signature": with_header(alg="none"),
        "alg NONE with a signature": with_header(alg="NONE"),
        "alg empty": with_header(alg=""),
        "alg null": with_header(alg=None),
        "alg a list": with_header(alg=["HS256"]),
        "alg missing": forge(header={"typ": "JWT", "kid": key.kid}),
        "alg in another case": with_header(alg="hs256"),
        "alg with a space": with_header(alg="HS256 "),
        "RS256 with our secret as its key": with_header(alg="RS256"),
        "ES256": with_header(alg="ES256"),
        "PS256": with_header(alg="PS256"),
        "HS384 signed with our secret": forge(header={**header, "alg": "HS384"}, digest="sha384"),
        "HS512 signed with our secret": forge(header={**header, "alg": "HS512"}, digest="sha512"),
        "HS384 digest under HS256": forge(digest="sha384"),
        "an empty signature": f"{first}.{second}.",
        "no signature": f"{first}.{second}",
        "half a signature": good[:-20],
        "a changed signature": f"{first}.{second}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "a changed claim under the old signature": f"{first}.{part({**claims, 'tenant': 'other'})}.{signature}",
        "a changed header under the old signature": f"{part({**header, 'x': 1})}.{second}.{signature}",
        "another key under our kid": forge(secret=OTHER.secret),
        "an empty key": forge(secret=b""),
        "another key and its kid": forge(header={**header, "kid": OTHER.kid}, secret=OTHER.secret),
        "our key under another kid": with_header(kid=OTHER.kid),
        "a kid that is a path": with_header(kid="../../dev/null"),
        "a kid that is a number": with_header(kid=1),
        "a kid that is null": with_header(kid=None),
        "no kid": forge(header={"alg": "HS256", "typ": "JWT"}),
        "crit": with_header(crit=["exp"]),
        "crit, empty": with_header(crit=[]),
        "crit with b64": with_header(crit=["b64"], b64=False),
        "b64 false without crit": with_header(b64=False),
        "jku": with_header(jku="https://evil.example/keys"),
        "x5u": with_header(x5u="https://evil.example/cert"),
        "jwk": with_header(jwk={"kty": "oct", "k": "AAAA"}),
        "x5c": with_header(x5c=["AAAA"]),
        "another issuer": with_claims(iss="evil"),
        "issuer with a space": with_claims(iss="frontdesk "),
        "issuer a list": with_claims(iss=["frontdesk"]),
        "another audience": with_claims(aud="billing"),
        "audience a list": with_claims(aud=["frontdesk"]),
        "audience null": with_claims(aud=None),
        **{f"without {claim}": without(claim) for claim in claims},
        "expired": with_claims(exp=now - margin_s),
        "expired long ago": with_claims(exp=0),
        "expiry negative": with_claims(exp=-1),
        "expiry a text": with_claims(exp=str(now + 60)),
        "expiry a boolean": with_claims(exp=True),
        "expiry null": with_claims(exp=None),
        "expiry infinite": with_claims(exp=math.inf),
        "expiry not a number": with_claims(exp=math.nan),
        "expiry a fraction": with_claims(exp=now + 0.5),
        "expiry a list": with_claims(exp=[now + 60]),
        "not valid yet": with_claims(nbf=now + margin_s),
        "nbf a text": with_claims(nbf="0"),
        "nbf a boolean": with_claims(nbf=False),
        "issued in the future": with_claims(iat=now + margin_s),
        "iat an object": with_claims(iat={}),
        "subject a number": with_claims(sub=7),
        "subject empty": with_claims(sub=""),
        "subject over-long": with_claims(sub="s" * 201),
        "subject with a NUL": with_claims(sub="demo\0"),
        "subject with a new line": with_claims(sub="demo\n{}"),
        "subject half a character": with_claims(sub="\ud800"),
        "tenant a number": with_claims(tenant=7),
        "tenant empty": with_claims(tenant=""),
        "tenant over-long": with_claims(tenant="t" * 65),
        "tenant with a slash": with_claims(tenant="../acme"),
        "tenant with a quote": with_claims(tenant="acme'--"),
        "tenant with a new line at its end": with_claims(tenant="acme\n"),
        "tenant in Cyrillic": with_claims(tenant="аcme"),
        "tenant a list": with_claims(tenant=["acme"]),
        "scope a list": with_claims(scope=["admin"]),
        "scope empty": with_claims(scope=""),
        "scope null": with_claims(scope=None),
        "scope with two spaces": with_claims(scope="understand  answer"),
        "scope with a tab": with_claims(scope="understand\tadmin"),
        "claims a list": forge(claims=[1]),
        "claims a text": forge(claims="admin"),
        "claims not JSON": forge(claims=b"{"),
        "claims not UTF-8": forge(claims=b"\xff\xfe{}"),
        "claims a number too large to read": forge(claims=b'{"exp":' + b"9" * 2900 + b"}"),
        "claims nested deeply": forge(claims=b"[" * 2900),
        "header a list": forge(header=[1]),
        "header not JSON": forge(header=b"{"),
        "header nested deeply": forge(header=b"[" * 2000),
        "nothing": "",
        "one part": "abc",
        "only dots": "..",
        "a fourth part": good + ".AAAA",
        "a dot at the end": good + ".",
        "a dot at the start": "." + good,
        "truncated in its claims": good[: len(first) + 10],
        "not base64": f"{first}.!!!!.{signature}",
        "standard base64": f"{first}.{second}.{'+/' * 21}A",
        "padded": good + "=",
        "unicode": good[:-1] + "ü",
        "full-width letters": "ｅ" + good[1:],
        "half a character": good + "\ud800",
        "white space inside": f"{first}. {second}.{signature}",
        "a new line at the end": good + "\n",
        "a NUL at the end": good + "\0",
        "two tokens": f"{good} {good}",
        "two tokens with a comma": f"{good},{good}",
        "over-long": forge(claims={**claims, "more": "x" * MAX_TOKEN_CHARACTERS}),
        "typ of another kind of token": with_header(typ="secevent+jwt"),
        "zip": with_header(zip="DEF"),
        "enc": with_header(enc="A128GCM"),
        "an encrypted token's five parts": ".".join([first] * 5),
    }

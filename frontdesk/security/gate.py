"""The one way in: an Authorization header and the scope that a route asks for, to a `Caller` or a refusal.

The same object guards HTTP and gRPC. Knows nothing of either, of routes, or of which rows belong to a tenant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from frontdesk.errors import Forbidden, Unauthenticated
from frontdesk.security.keys import SigningKey
from frontdesk.security.tokens import HINT, verify
from frontdesk.types import Caller

if TYPE_CHECKING:
    from frontdesk.config import SecuritySettings


@dataclass(frozen=True, slots=True)
class Gate:
    """Admits callers whose token `key` signed."""

    key: SigningKey
    settings: SecuritySettings

    def admit(self, authorization: str | None, scope: str) -> Caller:
        """The caller that a header `Bearer TOKEN` (the scheme in any case, RFC 9110) speaks for.

        Raises:
            Unauthenticated: no header, another scheme, or a token that is not valid.
            Forbidden: a valid token without `scope`; the message names it.
        """
        if not authorization:
            raise Unauthenticated("There is no Authorization header.", hint=HINT)
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("The Authorization header is not of the form Bearer TOKEN.", hint=HINT)
        caller = verify(token.strip(" "), self.key, self.settings)
        if scope not in caller.scopes:
            raise Forbidden(
                f"The token lacks the scope {scope}.", hint=f"Get one with: frontdesk token --scope {scope}"
            )
        return caller

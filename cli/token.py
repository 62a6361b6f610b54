"""`frontdesk token`: mint a development token signed with this machine's key; `inspect` and `revoke` tokens.

A token is printed only after its audit entry is committed: without the database no token is minted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bentos.worker.revocations import RevocationTarget
    from frontdesk.config import Settings

app = typer.Typer(help="Mint, inspect or revoke a token for the API.", invoke_without_command=True)


@app.callback()
def token(
    context: typer.Context,
    subject: Annotated[str, typer.Option(help="The subject of the token.")] = "developer",
    tenant: Annotated[str, typer.Option(help="The tenant whose rows it may read and write.")] = "default",
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope to grant; repeatable. Default: all but admin.")
    ] = None,
    ttl_s: Annotated[
        int | None, typer.Option(min=1, help="Validity in seconds. Default: from the configuration.")
    ] = None,
) -> None:
    """Write an audit entry, then print a token for the API. The signing key is created on first use."""
    if context.invoked_subcommand is not None:
        return
    from frontdesk.config import load_settings
    from frontdesk.security.tokens import SCOPES

    settings = load_settings()
    scopes = tuple(scope) if scope else tuple(name for name in SCOPES if name != "admin")
    ttl_s = ttl_s or settings.security.token_ttl_s
    typer.echo(mint_token(settings, subject=subject, tenant=tenant, scopes=scopes, ttl_s=ttl_s))


def mint_token(settings: Settings, *, subject: str, tenant: str, scopes: Sequence[str], ttl_s: int) -> str:
    """Mint a token and write its audit entry. Its `iat` is later than any revocation of the subject's tokens.

    Raises:
        ConfigurationError: as `issue_token`.
        StorageUnavailable: the audit log could not be written; no token is returned.
    """
    import time

    from cli.audit import commit_audit_entries
    from frontdesk.identifiers import uuid7
    from frontdesk.security.token_keys import load_signing_key
    from frontdesk.security.tokens import issue_token

    jti, key = uuid7(), load_signing_key(settings.keys)
    now = max(int(time.time()), _earliest_iat(settings, tenant, subject))
    details = {"subject": subject, "tenant": tenant, "scopes": list(scopes), "exp": now + ttl_s, "jti": jti}
    token = issue_token(
        key, settings.security, subject=subject, tenant=tenant, scopes=scopes, ttl_s=ttl_s, now=now, jti=jti
    )
    commit_audit_entries(settings, "token.minted", [jti], tenant=tenant, details=details)
    return token


def _earliest_iat(settings: Settings, tenant: str, subject: str) -> int:
    """Return the first `iat`, in seconds since 1970, that no revocation of the subject covers.

    Sleeps until the second of the last revocation has passed.

    Raises:
        StorageUnavailable: the database did not answer.
    """
    import time

    from sqlalchemy import inspect
    from sqlalchemy.exc import SQLAlchemyError

    from bentos.worker.revocations import earliest_accepted_issue_time, seconds_until_revoked_second_ends
    from frontdesk.errors import StorageUnavailable
    from frontdesk.storage.database import begin_reading, open_database

    engine = open_database(settings.database_url)
    try:
        with begin_reading(engine) as connection:
            has_revocations = inspect(connection).has_table("revoked_tokens")
            earliest = earliest_accepted_issue_time(connection, tenant, subject) if has_revocations else None
    except SQLAlchemyError as error:
        raise StorageUnavailable(f"The audit log could not be written ({type(error).__name__}).") from None
    finally:
        engine.dispose()
    time.sleep(seconds_until_revoked_second_ends(earliest, settings.security))
    return 0 if earliest is None else int(earliest.timestamp())


@app.command()
def revoke(
    token: Annotated[
        str | None, typer.Argument(help="A token or its jti; - reads standard input, hidden from process lists.")
    ] = None,
    subject: Annotated[str | None, typer.Option(help="Revoke every token of this subject issued until now.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Only for this tenant. Default: every tenant.")] = None,
) -> None:
    """Refuse a token, or all tokens of a subject, from now on. Takes effect on every server within seconds."""
    import time
    from datetime import UTC, datetime

    from sqlalchemy.exc import SQLAlchemyError

    from bentos.worker.revocations import insert_revocation, seconds_until_revoked_second_ends
    from cli.audit import audit_if_possible, commit_audit_entries
    from frontdesk.config import load_settings
    from frontdesk.errors import StorageUnavailable
    from frontdesk.storage.database import begin_writing, migrate, open_database

    settings = load_settings()
    revoked = _parse_revocation(settings, token, subject, tenant)
    target = revoked.jti or f"subject {revoked.subject}"
    try:
        migrate(settings.database_url)
        commit_audit_entries(settings, "token.revoke", [target], tenant=revoked.tenant, details=revoked.audit_details())
        engine = open_database(settings.database_url)
        with begin_writing(engine) as connection:
            row = insert_revocation(connection, revoked, settings.security)
        engine.dispose()
    except SQLAlchemyError as error:
        message = f"Nothing was revoked: the database is unavailable ({type(error).__name__})."
        raise StorageUnavailable(message) from None
    audit_if_possible(settings, "token.revoke.outcome", target, tenant=revoked.tenant, details=revoked.audit_details())
    time.sleep(seconds_until_revoked_second_ends(row.issued_before, settings.security))
    revoked_tokens = (
        f"The token {row.jti}"
        if row.jti
        else f"Every token of {row.subject} issued until {datetime.now(UTC):%F %T} UTC"
    )
    tenants = f"tenant {row.tenant}" if row.tenant else "every tenant"
    typer.echo(f"{revoked_tokens} ({tenants}) is refused within {settings.security.revocation_refresh_s:g} seconds.")


def _parse_revocation(
    settings: Settings, token: str | None, subject: str | None, tenant: str | None
) -> RevocationTarget:
    """Parse the arguments of `revoke`.

    Raises:
        InvalidQuery: they name no token and no subject, or both; or the token or the jti is not valid.
    """
    from bentos.worker.revocations import RevocationTarget, target_from_token, target_from_token_id
    from frontdesk.errors import InvalidQuery
    from frontdesk.security.revocations import EVERY_TENANT, MAX_ID_LENGTH, is_valid_id

    text = sys.stdin.read().strip() if token == "-" else token  # noqa: S105 - a dash is no secret
    if (text is None) == (subject is None):
        raise InvalidQuery("Name a token, its jti, or --subject.", hint="See: frontdesk token revoke --help")
    if subject is not None:
        if not is_valid_id(subject):
            raise InvalidQuery(f"A subject has 1 to {MAX_ID_LENGTH} printable characters.")
        return RevocationTarget(tenant or EVERY_TENANT, subject=subject)
    if text is not None and text.count(".") == 2:
        from bentos.wiring.worker import token_keys

        return target_from_token(text, token_keys(settings), settings.security)
    return target_from_token_id(tenant or EVERY_TENANT, text or "")


@app.command()
def inspect(
    token: Annotated[str, typer.Argument(help="The token; - reads standard input, hidden from process lists.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show header and claims of a token, and whether this server accepts it. Exit code 1 if it does not."""
    from rich.console import Console

    from bentos.wiring.worker import token_keys
    from frontdesk.config import load_settings
    from frontdesk.errors import Unauthenticated
    from frontdesk.security.tokens import verify_token

    settings = load_settings()
    text = sys.stdin.read().strip() if token == "-" else token  # noqa: S105 - a dash is no secret
    result = "good"
    try:
        verify_token(text, token_keys(settings), settings.security)
    except Unauthenticated as error:
        result = error.message
    output = {"verdict": result, "header": _decode_part(text, 0), "claims": _decode_part(text, 1)}
    if as_json:
        typer.echo(json.dumps(output))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for name, value in output.items():
            console.print(f"[bold]{name}[/]", end=" ")
            console.print(json.dumps(value, indent=2) if isinstance(value, dict) else value, markup=False)
    raise typer.Exit(0 if result == "good" else 1)


def _decode_part(token: str, index: int) -> dict[str, Any] | None:
    """Decode header (0) or claims (1) of a token without verification; None if malformed."""
    import base64

    try:
        part = token.split(".")[index]
        content = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None

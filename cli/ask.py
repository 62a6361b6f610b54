"""`frontdesk ask`: send a message to the running server, or to the champion in this process if none runs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from frontdesk.config import Settings

CONNECT_TIMEOUT_S = 0.5
SUBJECT, TENANT, SCOPE = "frontdesk ask", "default", "answer"
TOKEN_TTL_S = 300
RENEW_BEFORE_S = 30.0

Ask = Callable[[Mapping[str, Any]], dict[str, Any]]


def ask(
    message: Annotated[
        str | None, typer.Argument(help="The customer's message. Default: each line of standard input is one message.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per message.")] = False,
    store: Annotated[bool, typer.Option(help="Store the masked message and the answer.")] = True,
    customer: Annotated[
        str | None, typer.Option(help="Customer id. The stored history of this customer is taken into account.")
    ] = None,
    mail: Annotated[Path | None, typer.Option(help="A mail as .eml file instead of a message.")] = None,
    local: Annotated[bool, typer.Option("--local", help="Do not look for a running server.")] = False,
) -> None:
    """Answer a customer's message and print reply, decision and reasons.

    Exit code 1 if a message is refused.
    """
    from rich.console import Console

    from cli.answer_panel import answer_panel
    from cli.mail_file import read_mail
    from frontdesk.config import load_settings

    console = Console()
    any_refused = False
    fields: dict[str, object] = {"store": store, **({} if customer is None else {"customer_id": customer})}
    messages = ({"text": text} for text in _read_messages(message)) if mail is None else (read_mail(mail),)
    with _open_asker(load_settings(), fields, local=local) as answer_message:
        for message_fields in messages:
            answer = answer_message(message_fields)
            any_refused = any_refused or "error" in answer
            if as_json:
                typer.echo(json.dumps(answer, ensure_ascii=False))
            elif "error" in answer:
                Console(stderr=True).print(f"[bold red]refused[/] {answer['error']['detail']}", highlight=False)
            else:
                console.print(answer_panel(answer))
    if any_refused:
        raise typer.Exit(1)


def _read_messages(message: str | None) -> Iterator[str]:
    if message is not None:
        yield message
        return
    if sys.stdin.isatty():
        typer.echo("Type a message and press Enter; Ctrl-D ends.", err=True)
    for line in sys.stdin:
        if line.strip():
            yield line.rstrip("\n")


@contextmanager
def _open_asker(settings: Settings, fields: Mapping[str, object], *, local: bool) -> Iterator[Ask]:
    """Yield a function that answers one message, by the server of this home if it runs, else in this process.

    `fields` are the fields of the request other than those of the message.
    """
    from httpx2 import Client, Timeout

    from cli.local_server import PortOwner, identify_port_owner, server_url, tls_verification

    base = server_url(settings)
    timeout = Timeout(settings.server.request_timeout_s + 5, connect=CONNECT_TIMEOUT_S)
    with Client(base_url=base, timeout=timeout, verify=tls_verification(settings), trust_env=False) as client:
        if not local:
            listener = identify_port_owner(client, settings)
            if listener is PortOwner.OURS:
                yield _create_remote_asker(client, settings, fields)
                return
            if listener is not PortOwner.NOTHING:
                typer.echo(f"{base} is used by {listener.value}: the champion runs in this process instead.", err=True)
    with _open_embedded_asker(settings, fields) as answer_message:
        yield answer_message


def _create_remote_asker(client: Any, settings: Settings, fields: Mapping[str, object]) -> Ask:
    """Return a function that sends messages to the server. Its token is valid for minutes and is renewed."""
    token, expires_at = "", 0.0

    def answer_message(message: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal token, expires_at
        if time.time() > expires_at - RENEW_BEFORE_S:
            token, expires_at = _mint_token(settings)
        response = client.post("/v1/queries", json={**message, **fields}, headers={"authorization": f"Bearer {token}"})
        body: dict[str, Any] = response.json()
        return body if response.status_code == 200 else {"error": body}

    return answer_message


def _mint_token(settings: Settings) -> tuple[str, float]:
    """Return a token for this command and its expiry in seconds since the epoch. Writes an audit entry."""
    from cli.audit import audit_if_possible
    from frontdesk.identifiers import uuid7
    from frontdesk.security.token_keys import load_signing_key
    from frontdesk.security.tokens import issue_token

    jti, ttl_s = uuid7(), min(TOKEN_TTL_S, settings.security.token_ttl_s)
    claims = {"subject": SUBJECT, "tenant": TENANT, "scopes": [SCOPE], "exp": int(time.time()) + ttl_s, "jti": jti}
    # The entry is optional, because the token is never printed.
    audit_if_possible(settings, "token.minted", jti, tenant=TENANT, details=claims)
    token = issue_token(
        load_signing_key(settings.keys),
        settings.security,
        subject=SUBJECT,
        tenant=TENANT,
        scopes=(SCOPE,),
        ttl_s=ttl_s,
        jti=jti,
    )
    return token, time.time() + ttl_s


@contextmanager
def _open_embedded_asker(settings: Settings, fields: Mapping[str, object]) -> Iterator[Ask]:
    """Yield a function that answers in this process, with the same pipeline and database as a server."""
    import asyncio

    from rich.console import Console

    from bentos.admission.errors import problem
    from bentos.gateway.app import render_answer
    from bentos.schemas.queries import QueryIn, parse
    from bentos.wiring.worker import open_worker
    from frontdesk.deadline import Deadline
    from frontdesk.errors import FrontdeskError
    from frontdesk.types import Caller

    with Console(stderr=True).status("no server is running: loading the champion in this process"):
        worker = open_worker(settings)
    caller = Caller(tenant=TENANT, subject=SUBJECT, scopes=frozenset({SCOPE}))
    with asyncio.Runner() as runner:

        def answer_message(message: Mapping[str, Any]) -> dict[str, Any]:
            try:
                query = parse(QueryIn, json.dumps({**message, **fields}).encode()).query()
                deadline = Deadline.after(settings.server.request_timeout_s)
                answer: dict[str, Any] = json.loads(
                    render_answer(runner.run(worker.models.pipeline.answer(query, caller, deadline)))
                )
            except FrontdeskError as error:
                return {"error": problem(error)}
            return answer

        yield answer_message
        runner.run(worker.close())

"""`frontdesk llm serve`: run the local language model alone. Also the probe that `frontdesk doctor` uses."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import typer

if TYPE_CHECKING:
    from frontdesk.config import LlmSettings

PROBE_S = 10.0
PROBE_TOKENS = 16

app = typer.Typer(help="Run the local language model.", no_args_is_help=True)


@app.callback()
def llm() -> None:
    """Run the local language model."""


@app.command()
def serve() -> None:
    """Serve the local model on 127.0.0.1 until interrupted.

    The model has 135M parameters: it is a demonstration and invents facts. `frontdesk serve` starts it if
    `responses.provider` is `local`.
    """
    from rich.console import Console

    from bentos.wiring.local_llm import local_llm_settings, run_local_llm
    from frontdesk.config import load_settings

    settings = load_settings()
    local = local_llm_settings(settings)

    def wait() -> None:
        Console(stderr=True).print(
            f"{local.model} at {local.base_url}, key in {local.api_key_file}. Ctrl-C stops it.", soft_wrap=True
        )
        signal.sigwait({signal.SIGINT, signal.SIGTERM})

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    run_local_llm(settings, wait)


def probe(settings: LlmSettings) -> tuple[str, str]:
    """Check that the server answers, has the model and generates text. Returns state and message of a finding."""
    from frontdesk.errors import ConfigurationError

    try:
        return asyncio.run(_probe(settings))
    except ConfigurationError as error:
        return "bad", str(error)


async def _probe(settings: LlmSettings) -> tuple[str, str]:
    from prometheus_client import CollectorRegistry

    from frontdesk.deadline import Deadline
    from frontdesk.observability.llm_metrics import LanguageModelMetrics
    from frontdesk.responses.llm.client import ChatMessage, FailureReason, LanguageModelUnavailable
    from frontdesk.responses.llm.factory import build_openai_client, require_endpoint

    base_url, model = require_endpoint(settings)
    probe_settings = settings.model_copy(update={"max_tokens": PROBE_TOKENS})
    client = build_openai_client(probe_settings, LanguageModelMetrics(model, CollectorRegistry()))
    produced_text = False
    try:
        models = await client.models(Deadline.after(PROBE_S))
        if model not in models:
            return "bad", f"{base_url} does not have {model}; it has {', '.join(models[:10])}"
        async for _ in client.complete([ChatMessage("user", "Say OK.")], Deadline.after(PROBE_S)):
            produced_text = True
    except LanguageModelUnavailable as error:
        if not (produced_text and error.reason is FailureReason.TOO_LONG):  # the probe allows few tokens
            return "bad", f"{model} at {base_url}: {error.reason.value}; templates are used instead"
    finally:
        await client.close()
    if _sends_key_unencrypted(settings):
        return "warning", f"{model} at {base_url} answers, but the key is sent unencrypted: use https"
    return "good", f"{model} at {base_url} answers"


def _sends_key_unencrypted(settings: LlmSettings) -> bool:
    address = urlsplit(settings.base_url or "")
    has_key = settings.api_key is not None or settings.api_key_file is not None
    return has_key and address.scheme == "http" and address.hostname not in ("127.0.0.1", "localhost", "::1")

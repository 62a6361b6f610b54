"""What wrk is told to send and what is read of its answer; nothing is sent."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.wrk import parse, write_script

PRINTED = """\
Running 3s test @ http://127.0.0.1:1
  20 requests in 2.00s, 6.00KB read

{"answered": 20, "seconds": 2.0, "refused": 4, "broken": 1, "p50_ms": 5.5, "p95_ms": 9.0}
"""


def test_only_answers_without_an_error_count_as_throughput() -> None:
    load = parse(PRINTED, client_cpu_s=0.25)

    assert load.good_per_s == 8.0
    assert load.errors == 5
    assert (load.p50_ms, load.p95_ms, load.client_cpu_s) == (5.5, 9.0, 0.25)


def test_every_body_is_a_line_and_the_token_is_for_its_owner_alone(tmp_path: Path) -> None:
    script = write_script(
        tmp_path, "/understand", ['{"text": "a\\nb"}', '{"text": "c"}'], {"authorization": "Bearer x"}
    )

    assert (tmp_path / "bodies").read_text(encoding="utf-8").splitlines() == ['{"text": "a\\nb"}', '{"text": "c"}']
    assert 'wrk.format("POST", "/understand", {["authorization"] = "Bearer x"}, body)' in script.read_text()
    assert script.stat().st_mode & 0o077 == 0

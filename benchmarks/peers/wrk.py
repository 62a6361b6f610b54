"""Closed-loop load by `wrk`, the same for every server: each connection sends its next text when it has its answer.

Every request is another text; they are written before the clock starts. `benchmarks/load.py` times each request by the
X-Request-ID that Frontdesk repeats; other servers do not, so latencies here are wrk's own, of all answers whatever
their status. wrk corrects them for coordinated omission, by a guess: what took n times the mean of its connection
counts n times, shorter each time. That lifts the percentiles of a server that stalls now and then. What is in flight
when the time is over is not counted. Knows nothing of what it loads.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

JSON_HEADERS = {"content-type": "application/json"}
TIMEOUT_S = 30
"""A request that takes longer counts as an error."""

_SCRIPT = """\
local requests, at = {}, 0

function init(arguments)
  for body in io.lines(%(bodies)s) do
    requests[#requests + 1] = wrk.format("POST", %(path)s, %(headers)s, body)
  end
  at = tonumber(arguments[1]) %% #requests
end

function request()
  at = at %% #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  local figures = '\\n{"answered": %%d, "seconds": %%f, "refused": %%d, "broken": %%d, '
    .. '"p50_ms": %%f, "p95_ms": %%f}\\n'
  io.write(figures:format(summary.requests, summary.duration / 1e6, errors.status, broken,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run saw.

    `answered` counts answers of any status, `refused` those of them above 399, `broken` what got no answer: errors of
    the connection and time-outs. `client_cpu_s` is wrk's own user and system time.
    """

    answered: int
    seconds: float
    refused: int
    broken: int
    p50_ms: float
    p95_ms: float
    client_cpu_s: float

    @property
    def good_per_s(self) -> float:
        """Requests a second that were answered as they should be."""
        return (self.answered - self.refused) / self.seconds

    @property
    def errors(self) -> int:
        return self.refused + self.broken


def write_script(folder: Path, path: str, bodies: Sequence[str], headers: Mapping[str, str] = JSON_HEADERS) -> Path:
    """Write what wrk shall send to `path` into `folder`: bodies of one line each, and the script that reads them."""
    file = folder / "bodies"
    file.write_text("".join(f"{body}\n" for body in bodies), encoding="utf-8")
    table = ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items())
    script = folder / "load.lua"
    filled = {"bodies": json.dumps(str(file)), "path": json.dumps(path), "headers": f"{{{table}}}"}
    script.write_text(_SCRIPT % filled, encoding="utf-8")
    script.chmod(0o600)  # the headers may hold a token
    return script


def run(script: Path, port: int, concurrency: int, seconds: float, first: int = 0) -> Load:
    """Load 127.0.0.1:`port` for `seconds` over `concurrency` connections, beginning with body number `first`.

    Raises:
        RuntimeError: with wrk's own words, when it did not run to its end.
    """
    # fmt: off
    command = [
        "wrk", "--threads", "1", "--connections", str(concurrency), "--duration", f"{round(seconds)}s",
        "--timeout", f"{TIMEOUT_S}s", "--script", str(script), f"http://127.0.0.1:{port}", "--", str(first),
    ]
    # fmt: on
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as wrk:
        assert wrk.stdout is not None
        printed = wrk.stdout.read()
        _, status, usage = os.wait4(wrk.pid, 0)
        wrk.returncode = os.waitstatus_to_exitcode(status)
    if wrk.returncode != 0:
        raise RuntimeError(f"wrk failed: {printed.strip()}")
    return parse(printed, usage.ru_utime + usage.ru_stime)


def parse(printed: str, client_cpu_s: float) -> Load:
    """The figures that the script's `done` printed as wrk's last line."""
    return Load(**json.loads(printed.strip().splitlines()[-1]), client_cpu_s=client_cpu_s)

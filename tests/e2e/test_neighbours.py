"""Workers of one server share their work, whichever of them a client's connection has reached."""

from __future__ import annotations

import psutil

from tests.support.serving import Server

MESSAGES = 64


def test_the_messages_of_one_connection_are_read_by_both_workers(server: Server) -> None:
    workers = {name: psutil.Process(pid) for name, pid in server.workers().items()}
    assert len(workers) == 2
    before = {name: process.cpu_times().user for name, process in workers.items()}
    with server.client() as client:
        for round_ in range(10):
            queries = [{"text": f"Where is parcel {round_} {n}?", "store": False} for n in range(MESSAGES)]
            answer = client.post("/v1/understand/batch", json={"queries": queries})
            assert answer.status_code == 200
            assert [result["intent"]["label"] != "" for result in answer.json()["results"]] == [True] * MESSAGES
    spent = [process.cpu_times().user - before[name] for name, process in workers.items()]
    assert min(spent) > 0.2 * max(spent), spent

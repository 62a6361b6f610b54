"""Valid and invalid requests generated from the OpenAPI document cause no defects and no undocumented responses.

`make hostile` sends 50,000 requests; by default there are fewer. The variable HOSTILE_REQUESTS sets their number,
HOSTILE_SEED the seed: the same seed generates the same requests.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from itertools import count

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from tests.support.serving import Server

REQUESTS = int(os.environ.get("HOSTILE_REQUESTS", "300"))
SEED = int(os.environ.get("HOSTILE_SEED", "1"))
BUSY = 503


@pytest.mark.timeout(3600)
def test_no_request_of_the_document_makes_a_defect_or_an_undocumented_answer(server: Server) -> None:
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    statuses: Counter[int] = Counter()
    headers = {"authorization": f"Bearer {server.token(ttl_s=3600)}"}
    checks = (not_a_server_error, status_code_conformance, content_type_conformance)

    def ask(case: schemathesis.Case) -> None:
        response = case.call(headers=headers, timeout=30)
        statuses[response.status_code] += 1
        if response.status_code != BUSY:  # overload is documented and no defect
            case.validate_response(response, checks=checks)

    for number in count(SEED):  # some operations have few possible requests, so that one round is not enough
        each = (REQUESTS - statuses.total()) // len(operations) + 1
        for operation in operations:
            again = settings(
                max_examples=each,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            seed(number)(again(given(case=operation.as_strategy())(ask)))()
        if statuses.total() >= REQUESTS:
            break
    sys.stdout.write(f"{statuses.total()} requests to {len(operations)} operations: {dict(sorted(statuses.items()))}\n")
    assert '"event": "failure"' not in server.log()

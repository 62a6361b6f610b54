"""What a server refuses to start with: the checks of the master, without a server.

tests/e2e/test_lifecycle.py shows that a refusal is one line and an exit code.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bentos.wiring.worker import prepare_server_start
from frontdesk.config import load_settings
from frontdesk.errors import FrontdeskError
from tests.support.damaged_homes import DAMAGES
from tests.support.serving import environment


def refusal(home: Path, **settings: object) -> str:
    with pytest.raises(FrontdeskError) as refused:
        prepare_server_start(load_settings(environment=environment(home, **settings)))
    return refused.value.message


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_home_is_refused_by_name(home: Path, damage: Callable[[Path], str]) -> None:
    named = damage(home)

    assert named in refusal(home)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"policy__priority": "none.yaml"}, "none.yaml"),
        ({"responses__knowledge": "nowhere"}, "nowhere"),
        ({"storage__url": "mysql://user:secret-word@host/db"}, "storage.url"),
        ({"responses__provider": "openai"}, "llm.base_url"),
        ({"responses__provider": "openai", "llm__base_url": "http://127.0.0.1:9/v1"}, "llm.model"),
        ({"responses__provider": "openai", "llm__base_url": "ftp://host/v1"}, "llm.base_url"),
        ({"model__placement": "dedicated"}, "model.placement is 'dedicated', but bundle"),
        ({"model__placement": "distributed"}, "model.placement is 'distributed', but bundle"),
    ],
)
def test_a_setting_that_cannot_be_served_is_refused_by_name(
    home: Path, settings: dict[str, object], named: str
) -> None:
    message = refusal(home, **settings)

    assert named in message
    assert "secret-word" not in message

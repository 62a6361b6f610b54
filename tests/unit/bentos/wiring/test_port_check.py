from __future__ import annotations

import socket

import pytest

from bentos.wiring.port_check import GRPC_VARIABLE, check_port_is_free
from frontdesk.errors import ConfigurationError


def test_a_free_port_passes_and_stays_free() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for _ in range(2):
        check_port_is_free("127.0.0.1", port, GRPC_VARIABLE)


@pytest.mark.parametrize("shared", [False, True])
def test_a_taken_port_is_refused_by_its_setting_also_where_its_owner_would_share_it(shared: bool) -> None:
    with socket.socket() as owner:
        if shared:
            owner.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        owner.bind(("127.0.0.1", 0))
        owner.listen()
        with pytest.raises(ConfigurationError, match=f"{owner.getsockname()[1]} .*FRONTDESK_SERVER__GRPC_PORT"):
            check_port_is_free("127.0.0.1", owner.getsockname()[1], GRPC_VARIABLE)

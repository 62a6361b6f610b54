"""A running server listens on its two ports and on no other socket that another user can reach."""

from __future__ import annotations

from pathlib import Path

from model_store.bundle import Bundle
from tests.support.serving import Server, home_with
from tests.support.sockets import assert_private, sockets_folder


def test_the_only_tcp_ports_are_those_of_the_settings(server: Server) -> None:
    assert server.tcp_ports() == {server.port, server.grpc_port}
    assert_private(sockets_folder(server))


def test_with_a_home_too_long_for_sockets_they_lie_in_a_short_private_folder_that_is_removed(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    home = home_with(tiny_bundle, tmp_path / ("a home with a very long name " * 5) / "home")
    with Server(home) as server:
        folder = sockets_folder(server)
        assert home not in folder.parents
        assert_private(folder)
        assert (folder / "lending" / "0.sock").is_socket()
        assert server.tcp_ports() == {server.port, server.grpc_port}
    assert server.process.returncode == 0
    assert not folder.exists()


def test_files_that_a_server_writes_are_closed_to_other_users(server: Server) -> None:
    with server.client() as client:
        assert client.post("/v1/queries", json={"text": "Where is my parcel?"}).status_code == 200
    ours = [path for path in server.home.rglob("*") if "bundles" not in path.parts and path.name != "server.log"]
    assert {"frontdesk.db", "keys", "bentoml"} <= {path.name for path in ours}
    assert not [path for path in ours if path.lstat().st_mode & 0o077]

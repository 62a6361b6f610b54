"""TLS at both doors: what is not TLS is not answered."""

from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
from pathlib import Path

import grpc
import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bentos.grpc import frontdesk_pb2 as pb
from bentos.grpc.frontdesk_pb2_grpc import FrontdeskServiceStub
from bentos.http.tls import CIPHERS, check_tls_serve_options, read_tls_key_pair, tls_serve_options
from frontdesk.config import ServerSettings
from frontdesk.errors import ConfigurationError
from model_store.bundle import Bundle
from tests.support.serving import Server, frontdesk, home_with, send_raw


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    created = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(created.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    paths[1].chmod(0o600)
    return paths


def test_both_doors_speak_tls_and_nothing_else(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created, key = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(created))
    server = Server(
        home_with(tiny_bundle, tmp_path / "home"), workers=1, server__tls_certificate=created, server__tls_key=key
    )
    server.url = server.url.replace("http:", "https:")
    with server:
        headers = {"authorization": f"Bearer {server.token()}"}
        context = ssl.create_default_context(cafile=str(created))
        request = httpx2.post(
            f"{server.url}/v1/understand",
            json={"text": "Where is it?", "store": False},
            headers=headers,
            verify=context,
        )
        assert request.status_code == 200
        assert request.headers["strict-transport-security"].startswith("max-age=")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE+AESGCM")
        assert httpx2.get(f"{server.url}/livez", verify=context).status_code == 200
        context.set_ciphers("ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{server.url}/livez", verify=context)
        assert send_raw(server.port, b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").status == 0

        query, metadata = pb.Query(text="Where is it?", store=False), tuple(headers.items())
        with grpc.secure_channel(server.grpc_address, grpc.ssl_channel_credentials(created.read_bytes())) as channel:
            assert FrontdeskServiceStub(channel).Understand(query, metadata=metadata, timeout=20).query_id
        with grpc.insecure_channel(server.grpc_address) as channel, pytest.raises(grpc.RpcError):
            FrontdeskServiceStub(channel).Understand(query, metadata=metadata, timeout=5)

        message = frontdesk(
            server.home,
            "ask",
            "Where is it?",
            "--no-store",
            server__port=server.port,
            server__tls_certificate=created,
            server__tls_key=key,
        )
        assert message.returncode == 0, message.stderr


class TestFiles:
    def test_a_pair_is_read(self, tmp_path: Path) -> None:
        created, key = certificate(tmp_path)
        settings = ServerSettings(tls_certificate=created, tls_key=key)
        assert read_tls_key_pair(settings) == (key.read_bytes(), created.read_bytes())
        assert read_tls_key_pair(ServerSettings()) is None

    def test_a_key_that_others_can_read_is_refused(self, tmp_path: Path) -> None:
        created, key = certificate(tmp_path)
        key.chmod(0o640)
        with pytest.raises(ConfigurationError, match="open to other users"):
            read_tls_key_pair(ServerSettings(tls_certificate=created, tls_key=key))

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
    def test_a_key_of_another_user_is_refused(self, tmp_path: Path) -> None:
        created, key = certificate(tmp_path)
        os.chown(key, 65534, 65534)
        with pytest.raises(ConfigurationError, match="belongs to another user"):
            read_tls_key_pair(ServerSettings(tls_certificate=created, tls_key=key))

    def test_files_that_do_not_fit_are_refused(self, tmp_path: Path) -> None:
        created, _ = certificate(tmp_path)
        (tmp_path / "other").mkdir()
        _, other = certificate(tmp_path / "other")
        for pair in ((created, other), (created, tmp_path / "none"), (other, other)):
            with pytest.raises(ConfigurationError, match="cannot be used"):
                read_tls_key_pair(ServerSettings(tls_certificate=pair[0], tls_key=pair[1]))

    def test_bentoml_must_have_been_told(self, tmp_path: Path) -> None:
        created, key = certificate(tmp_path)
        settings = ServerSettings(tls_certificate=created, tls_key=key)
        check_tls_serve_options(settings, ["bentoml", "serve", *tls_serve_options(settings)])
        check_tls_serve_options(settings, ["bentoml", "serve", f"--ssl-certfile={created}", f"--ssl-ciphers={CIPHERS}"])
        with pytest.raises(ConfigurationError, match="without it"):
            check_tls_serve_options(settings, ["bentoml", "serve"])
        for ciphers in ([], ["--ssl-ciphers", "TLSv1"], ["--ssl-ciphers", "ALL"]):
            with pytest.raises(ConfigurationError, match="other TLS ciphers"):
                check_tls_serve_options(settings, ["bentoml", "serve", "--ssl-certfile", str(created), *ciphers])

    def test_one_file_alone_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="belong together"):
            ServerSettings(tls_certificate=tmp_path / "certificate.pem")

"""Keys of an external issuer: which keys of a set are used, when they are fetched, and attacks on the algorithm."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from frontdesk.config import SecuritySettings
from frontdesk.errors import ConfigurationError, Unauthenticated
from frontdesk.security import jwks
from frontdesk.security.authentication import Authenticator
from frontdesk.security.jwks import MAX_BYTES, IssuerKeys, is_url_source, parse_jwks
from frontdesk.security.token_keys import SigningKey
from frontdesk.security.tokens import issue_token
from tests.support.forged_tokens import Forger

PRIVATE: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
OTHER_EC = ec.generate_private_key(ec.SECP256R1())
WRITERS = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}
SHORT_RSA = rsa.generate_private_key(65537, 1024)


def public(algorithm: str, kid: str = "one", private: Any = None, **changes: Any) -> dict[str, Any]:
    key = private or PRIVATE[algorithm]
    return {**json.loads(WRITERS[algorithm].to_jwk(key.public_key())), "kid": kid, "alg": algorithm, **changes}


def key_set(*keys: object) -> bytes:
    return json.dumps({"keys": keys}).encode()


def settings(algorithm: str, source: str = "unused.json") -> SecuritySettings:
    return SecuritySettings(algorithm=algorithm, jwks=source)


def signed(algorithm: str, kid: str = "one", private: Any = None, **claims: Any) -> str:
    now = int(time.time())
    all_claims = {**Forger(SigningKey("x", b""), now).claims, **claims}
    present = {name: value for name, value in all_claims.items() if value is not None}
    return jwt.encode(present, private or PRIVATE[algorithm], algorithm, headers={"kid": kid})


class Issuer(ThreadingHTTPServer):
    """An issuer on this machine whose key set can be changed, broken or slowed down."""

    daemon_threads = True

    def __init__(self) -> None:
        issuer = self
        self.body, self.status, self.location, self.request_count, self.delay_s = b"", 200, "", 0, 0.0
        self.dribbles = False

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.request_count += 1
                if issuer.dribbles:
                    for byte in b"HTTP/1.1 200 OK\r\nx: " + b"a" * 1000:
                        self.wfile.write(bytes([byte]))
                        time.sleep(0.05)
                time.sleep(issuer.delay_s)
                self.send_response(issuer.status)
                if issuer.location:
                    self.send_header("location", issuer.location)
                self.end_headers()
                self.wfile.write(issuer.body)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/keys"

    def handle_error(self, *_: object) -> None:
        """Ignore clients that disconnect."""


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as serving:
        threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield serving
        serving.shutdown()


def opened(source: str, cache: Path, algorithm: str = "ES256", stale_s: float = 1000.0) -> IssuerKeys:
    return IssuerKeys(source, algorithm, cache, max_age_s=1000.0, max_stale_s=stale_s)


class TestKeySets:
    @pytest.mark.parametrize("algorithm", list(PRIVATE))
    def test_a_key_of_the_algorithm_is_used(self, algorithm: str) -> None:
        keys = parse_jwks(key_set(public(algorithm), {"kty": "oct", "kid": "two", "k": "AAAA"}), algorithm)
        assert list(keys) == ["one"]
        assert keys["one"].algorithm == algorithm

    @pytest.mark.parametrize(
        "key",
        [
            {"kty": "oct", "kid": "one", "k": base64.urlsafe_b64encode(b"k" * 32).decode(), "alg": "RS256"},
            public("RS256", private=SHORT_RSA),
            public("RS256", use="enc"),
            public("RS256", alg="RS512"),
            public("RS256", key_ops=["encrypt"]),
            public("RS256", kid=""),
            public("RS256", kid=7),
            public("RS256", n="!!"),
            public("RS256", n=None),
            {**json.loads(RSAAlgorithm.to_jwk(PRIVATE["RS256"])), "kid": "one"},
            public("ES256", alg="RS256"),
            "RS256",
            None,
            ["RS256"],
        ],
        ids=range(14),
    )
    def test_other_keys_are_skipped(self, key: object) -> None:
        with pytest.raises(ValueError, match="none of its keys"):
            parse_jwks(key_set(key), "RS256")

    @pytest.mark.parametrize(
        "content",
        [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 50_000, b'{"keys": {}}', b'{"keys": null}', b" " * (MAX_BYTES + 1),
         key_set(*[public("ES256", kid=str(n)) for n in range(101)]),
         key_set(public("RS256"), public("RS256"))],
        ids=range(11),
    )  # fmt: skip
    def test_content_that_is_not_a_key_set_is_refused(self, content: bytes) -> None:
        with pytest.raises(ValueError, match=r"it |none of|two of"):
            parse_jwks(content, "RS256")


class TestTokens:
    @pytest.mark.parametrize("algorithm", list(PRIVATE))
    async def test_a_token_of_the_issuer_is_accepted(self, algorithm: str, tmp_path: Path) -> None:
        (tmp_path / "set.json").write_bytes(key_set(public(algorithm)))
        authenticator = Authenticator(opened(str(tmp_path / "set.json"), tmp_path, algorithm), settings(algorithm))
        for claims in ({}, {"nbf": None}, {"aud": ["billing", "frontdesk"]}):
            assert (
                await authenticator.authenticate(f"Bearer {signed(algorithm, **claims)}", "answer")
            ).tenant == "acme"

    async def test_nothing_confuses_the_algorithm(self, tmp_path: Path) -> None:
        (tmp_path / "set.json").write_bytes(key_set(public("RS256")))
        authenticator = Authenticator(opened(str(tmp_path / "set.json"), tmp_path, "RS256"), settings("RS256"))
        raw = json.dumps(public("RS256")).encode()
        numbers = PRIVATE["RS256"].public_key().public_numbers()
        secrets = [raw, str(numbers.n).encode(), numbers.n.to_bytes(256, "big"), b""]
        now = int(time.time())
        forged = [Forger(SigningKey("one", secret), now).forge() for secret in secrets]
        forged += [Forger(SigningKey("one", secret), now).with_header(alg="RS256", kid="one") for secret in secrets]
        forged += [
            Forger(SigningKey("one", b""), now).unsigned("none"),
            signed("ES256"),
            signed("EdDSA"),
            signed("RS256", private=rsa.generate_private_key(65537, 2048)),
            signed("RS256", kid="two"),
            jwt.encode(Forger(SigningKey("x", b""), now).claims, PRIVATE["RS256"], "RS512", headers={"kid": "one"}),
            jwt.encode(Forger(SigningKey("x", b""), now).claims, PRIVATE["RS256"], "PS256", headers={"kid": "one"}),
            signed("RS256", aud=["billing"]),
            signed("RS256", aud=[]),
            signed("RS256", iat=None, nbf=None),
        ]
        for token in forged:
            with pytest.raises(Unauthenticated):
                await authenticator.authenticate(f"Bearer {token}", "answer")

    def test_no_token_is_issued_for_an_external_issuer(self) -> None:
        with pytest.raises(ConfigurationError, match="must be issued by"):
            issue_token(
                SigningKey("x", b"k" * 32), settings("RS256"), subject="a", tenant="b", scopes=("answer",), ttl_s=1
            )


class TestFetching:
    async def test_a_new_key_is_fetched_once_when_a_token_names_it(
        self, issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jwks, "RETRY_S", 0.2)
        issuer.body = key_set(public("ES256"))
        authenticator = Authenticator(opened(issuer.url, tmp_path), settings("ES256", issuer.url))
        issuer.body = key_set(public("ES256", kid="two", private=OTHER_EC))
        time.sleep(0.25)
        new = signed("ES256", kid="two", private=OTHER_EC)
        assert (await authenticator.authenticate(f"Bearer {new}", "answer")).subject == "demo"
        assert issuer.request_count == 2
        with pytest.raises(Unauthenticated):  # the key that is not in the set any more
            await authenticator.authenticate(f"Bearer {signed('ES256')}", "answer")

    async def test_hundreds_of_unknown_keys_cause_one_fetch(self, issuer: Issuer, tmp_path: Path) -> None:
        issuer.body = key_set(public("ES256"))
        authenticator = Authenticator(opened(issuer.url, tmp_path), settings("ES256", issuer.url))
        for n in range(100):
            with pytest.raises(Unauthenticated):
                await authenticator.authenticate(f"Bearer {signed('ES256', kid=f'unknown-{n}')}", "answer")
        assert issuer.request_count == 1

    def test_cached_keys_are_used_while_the_issuer_is_unavailable(self, issuer: Issuer, tmp_path: Path) -> None:
        issuer.body = key_set(public("ES256"))
        opened(issuer.url, tmp_path)
        issuer.status = 503
        assert opened(issuer.url, tmp_path).find("one") is not None
        assert (tmp_path / "jwks.json").stat().st_mode & 0o077 == 0

    def test_cached_keys_expire(self, issuer: Issuer, tmp_path: Path) -> None:
        issuer.body = key_set(public("ES256"))
        opened(issuer.url, tmp_path)
        issuer.status = 503
        assert opened(issuer.url, tmp_path, stale_s=0.0).find("one") is None

    def test_cached_keys_of_another_issuer_are_not_used(self, issuer: Issuer, tmp_path: Path) -> None:
        issuer.body = key_set(public("ES256"))
        opened(issuer.url, tmp_path)
        with pytest.raises(ConfigurationError, match="no keys"):
            opened("http://127.0.0.1:1/keys", tmp_path)

    @pytest.mark.parametrize("kept", ["", "{", "[]", '{"source": 1}', '{"keys": 7, "source": "URL", "fetched_at": 0}'])
    def test_a_damaged_cache_is_ignored(self, issuer: Issuer, tmp_path: Path, kept: str) -> None:
        (tmp_path / "jwks.json").write_text(kept.replace("URL", issuer.url))
        issuer.body = key_set(public("ES256"))
        assert opened(issuer.url, tmp_path).find("one") is not None

    @pytest.mark.parametrize("fault", ["redirect", "huge", "slow", "broken", "dribbles"])
    def test_an_issuer_that_misbehaves_gives_no_keys(
        self, issuer: Issuer, tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jwks, "TIMEOUT_S", 0.3)
        issuer.body = key_set(public("ES256"))
        match fault:
            case "redirect":
                issuer.status, issuer.location = 302, issuer.url
            case "huge":
                issuer.body += b" " * MAX_BYTES
            case "slow":
                issuer.delay_s = 1.0
            case "dribbles":
                issuer.dribbles = True
            case "broken":
                issuer.body = issuer.body[:-1]
        started = time.monotonic()
        with pytest.raises(ConfigurationError, match="no keys"):
            opened(issuer.url, tmp_path)
        assert time.monotonic() - started < 1.0

    async def test_only_the_first_request_waits_for_a_slow_issuer(
        self, issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The fetch uses its own thread; the threads of the default executor stay free."""
        monkeypatch.setattr(jwks, "RETRY_S", 0.2)
        issuer.body = key_set(public("ES256"))
        keys = opened(issuer.url, tmp_path)
        authenticator = Authenticator(keys, settings("ES256", issuer.url))
        issuer.delay_s = 1.0
        time.sleep(0.25)

        async def authenticate(kid: str) -> float:
            started = time.monotonic()
            with pytest.raises(Unauthenticated):
                await authenticator.authenticate(f"Bearer {signed('ES256', kid=kid)}", "answer")
            return time.monotonic() - started

        tokens = asyncio.gather(*(authenticate(f"unknown-{n}") for n in range(60)))
        await asyncio.sleep(0.1)
        started = time.monotonic()
        await asyncio.to_thread(int)
        assert time.monotonic() - started < 0.5
        first, *others = sorted(await tokens, reverse=True)
        assert first >= 0.9
        assert others[0] < 0.5
        assert issuer.request_count == 2
        keys.close()

    @pytest.mark.parametrize(
        "source", ["http://issuer.example/keys", "http://127.0.0.1.evil.example/", "https://user:word@issuer.example/"]
    )
    def test_a_source_that_can_be_intercepted_is_refused(self, source: str) -> None:
        with pytest.raises(ConfigurationError):
            is_url_source(source)

    def test_https_and_files_are_sources(self) -> None:
        assert is_url_source("https://issuer.example/keys")
        assert not is_url_source("/etc/frontdesk/keys.json")

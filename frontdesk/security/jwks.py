"""Public keys of an external issuer: a JSON Web Key Set (RFC 7517) from a file or a URL, refreshed regularly.

Keys are fetched in the background, and immediately if a token names an unknown key, but at most once per `RETRY_S`:
tokens cannot make this server flood its issuer. Only the request that starts such a fetch waits for it, in a separate
thread; other requests with an unknown key are refused until it ends. The last fetched keys are cached on disk for
`jwks_max_stale_s`, so a restart does not depend on the issuer. Does not depend on tokens.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import urlsplit

import jwt
from httpx2 import AsyncClient, HTTPError

from frontdesk.errors import ConfigurationError
from frontdesk.private_files import UnsafeFileOwnershipError, open_trusted

MAX_BYTES = 262_144
MAX_KEYS = 100
TIMEOUT_S = 3.0
GRACE_S = 0.5
"""Extra seconds to wait for a fetch. A fetch that takes longer is in name resolution, which has its own time-outs."""
RETRY_S = 10.0
MIN_RSA_BITS = 2048
CACHE_FILE = "jwks.json"

_KTY: Mapping[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
_log = logging.getLogger("bentoml.frontdesk")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Public key of an issuer, for signatures with `algorithm`."""

    kid: str
    algorithm: str
    material: Any = field(repr=False, compare=False)
    thumbprint: str


def parse_jwks(content: bytes, algorithm: str) -> Mapping[str, PublicKey]:
    """Return the keys of a set that can verify `algorithm`, by `kid`. Other keys are skipped.

    Raises:
        ValueError: `content` is not a key set, or contains no usable key.
    """
    if len(content) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES} bytes")
    try:
        entries = json.loads(content)["keys"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ValueError("it is not a JSON Web Key Set") from None
    if not isinstance(entries, list) or len(entries) > MAX_KEYS:
        raise ValueError(f"it has no list of at most {MAX_KEYS} keys")
    keys = [key for item in entries if (key := _parse_key(item, algorithm)) is not None]
    keys_by_id = {key.kid: key for key in keys}
    if len(keys_by_id) < len(keys):
        raise ValueError("two of its keys have the same kid")
    if not keys_by_id:
        raise ValueError(f"none of its keys has a kid and is for {algorithm}")
    return keys_by_id


def _parse_key(item: object, algorithm: str) -> PublicKey | None:
    """Return one key, or None if it is symmetric, private, too short, of another type or not for verification."""
    if not isinstance(item, dict) or not isinstance(item.get("kid"), str) or not item["kid"]:
        return None
    kty, curve = _KTY[algorithm]
    is_suitable = (
        item.get("kty") == kty
        and item.get("alg", algorithm) == algorithm
        and item.get("use", "sig") == "sig"
        and "verify" in item.get("key_ops", ("verify",))
        and (curve is None or item.get("crv") == curve)
        and "d" not in item
    )
    if not is_suitable:
        return None
    try:
        material = jwt.PyJWK(item, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if kty == "RSA" and material.key_size < MIN_RSA_BITS:
        return None
    public = {name: item[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in item}
    return PublicKey(item["kid"], algorithm, material, json.dumps(public, sort_keys=True))


class IssuerKeys:
    """Keys of one issuer, for one process. `close` ends its thread.

    Args:
        source: an https URL (http only for this machine) or a file.
        algorithm: the algorithm that tokens must have.
        cache: the folder of the cache file.
        max_age_s: interval between fetches.
        max_stale_s: how long fetched keys are accepted while the issuer is unreachable.

    Raises:
        ConfigurationError: the source is not allowed, or there are neither fetched nor cached keys.
    """

    def __init__(self, source: str, algorithm: str, cache: Path, *, max_age_s: float, max_stale_s: float) -> None:
        self._source = source
        self._algorithm = algorithm
        self._cache = cache / CACHE_FILE
        self._max_age_s = max_age_s
        self._max_stale_s = max_stale_s
        self._is_url = is_url_source(source)
        self._keys: Mapping[str, PublicKey] = {}
        self._fetched_at = 0.0  # seconds since 1970; stored in the cache file
        self._attempted_at = float("-inf")  # monotonic
        self._fetch_lock = Lock()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="frontdesk-jwks-now")
        self._closed = Event()
        self._load_cache()
        if not self._executor.submit(self._fetch).result() and not self._keys:
            raise ConfigurationError(
                f"There are no keys to verify tokens with: {source} returned none, and none are cached.",
                hint="Check security.jwks and security.algorithm.",
            )
        Thread(target=self._keep_fetching, name="frontdesk-jwks", daemon=True).start()

    def find(self, kid: str) -> PublicKey | None:
        if time.time() > self._fetched_at + self._max_stale_s:
            return None
        return self._keys.get(kid)

    async def refetch(self) -> bool:
        """Fetch the keys unless a fetch is running or was tried within `RETRY_S`; return whether the keys are recent.

        Waits only for its own fetch, at most `TIMEOUT_S + GRACE_S`.
        """
        if self._fetch_lock.locked() or self._is_too_soon_to_fetch():
            return self._was_just_fetched()
        fetching = asyncio.get_running_loop().run_in_executor(self._executor, self._fetch)
        self._attempted_at = time.monotonic()  # no other request starts a second fetch before the thread runs
        try:
            return await asyncio.wait_for(asyncio.shield(fetching), TIMEOUT_S + GRACE_S)
        except TimeoutError:
            return False

    def close(self) -> None:
        self._closed.set()
        self._executor.shutdown(wait=False)

    def _keep_fetching(self) -> None:
        while not self._closed.wait(self._max_age_s):
            if not self._is_too_soon_to_fetch():
                self._fetch()

    def _is_too_soon_to_fetch(self) -> bool:
        return time.monotonic() < self._attempted_at + RETRY_S

    def _was_just_fetched(self) -> bool:
        return time.time() < self._fetched_at + RETRY_S

    def _fetch(self) -> bool:
        """Fetch the keys, one fetch at a time; return whether it succeeded."""
        with self._fetch_lock:
            self._attempted_at = time.monotonic()
            try:
                content = _fetch_url(self._source) if self._is_url else _read_trusted_file(Path(self._source))
                keys = parse_jwks(content, self._algorithm)
            except (HTTPError, OSError, ValueError) as error:
                _log.warning("The keys of the tokens' issuer were not fetched: %s.", type(error).__name__)
                return False
            self._keys, self._fetched_at = keys, time.time()
            self._write_cache(content)
            return True

    def _load_cache(self) -> None:
        """Use the cached keys if they are from the same source and valid."""
        try:
            cached = json.loads(_read_trusted_file(self._cache))
            if cached["source"] == self._source:
                keys = parse_jwks(cached["keys"].encode(), self._algorithm)
                self._keys, self._fetched_at = keys, min(float(cached["fetched_at"]), time.time())
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return  # no usable cache: the keys of the following fetch are used

    def _write_cache(self, content: bytes) -> None:
        cached = {"source": self._source, "fetched_at": self._fetched_at, "keys": content.decode()}
        temporary = self._cache.with_name(f".{CACHE_FILE}.{secrets.token_hex(8)}")
        self._cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(cached, file)
        temporary.replace(self._cache)


def _read_trusted_file(path: Path) -> bytes:
    """Return the content of a file that no other user could have written.

    Raises:
        OSError: it cannot be read.
        ValueError: another user owns it, can write to it or could replace it. The reason is logged.
    """
    try:
        with open_trusted(path, f"The key set {path}") as file:
            return file.read()
    except UnsafeFileOwnershipError as error:
        _log.error("%s", error)
        raise ValueError("it is not trusted") from None


def is_url_source(source: str) -> bool:
    """Return whether `source` is a URL, not a file.

    Raises:
        ConfigurationError: the URL contains a password, or uses http to another machine, where it can be intercepted.
    """
    parts = urlsplit(source)
    if parts.scheme not in ("http", "https"):
        return False
    if parts.username or parts.password:
        raise ConfigurationError("security.jwks has a password in its URL.", hint="A key set is public: leave it out.")
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ConfigurationError(
            "security.jwks is fetched over http.", hint="Use https: an attacker on the network could replace the keys."
        )
    return True


def _fetch_url(url: str) -> bytes:
    """Return the body: at most `MAX_BYTES`, within `TIMEOUT_S` from the connection to the last byte, no redirect.

    Call it in a thread without an event loop. It runs its own loop for the total limit, because the client's time-out
    restarts with every byte.

    Raises:
        HTTPError: the issuer cannot be reached.
        ValueError: the status is not 200, the body is too large, or the response is too slow.
    """
    return asyncio.run(_fetch_url_in_time(url))


async def _fetch_url_in_time(url: str) -> bytes:
    pieces: list[bytes] = []
    size = 0
    client = AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)
    try:
        async with asyncio.timeout(TIMEOUT_S), client, client.stream("GET", url) as response:
            if response.status_code != 200:
                raise ValueError(f"status {response.status_code}")
            async for piece in response.aiter_bytes():
                size += len(piece)
                if size > MAX_BYTES:
                    raise ValueError("too much")
                pieces.append(piece)
    except TimeoutError:
        raise ValueError("too slow") from None
    return b"".join(pieces)

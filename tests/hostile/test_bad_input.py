"""Invalid HTTP input is refused with a problem, and is neither stored nor logged.

Every body and header contains a unique word (`marker`), so that a trace in the log or in the metrics shows its source.
Requests are sent as bytes, because a client library would correct many of them.
"""

from __future__ import annotations

import base64
import gzip
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx2
import jwt
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bentos.admission.routes import ROUTES, find_routes
from frontdesk.security.token_keys import load_signing_key
from tests.support.serving import RawResponse, Server, send_raw

# Routes for messages; tests/e2e/test_open_inference.py sends bad tensors to the others.
POSTED = {route.template: route for route in ROUTES if route.models and not route.oip}
POST_ROUTES = list(POSTED)
ONLY_POSTED = [path for path in POST_ROUTES if len(find_routes(path)) == 1]
WITHOUT_BATCH = [path for path in POST_ROUTES if not POSTED[path].batch]
WITH_BENTO = [path for path in POST_ROUTES if POSTED[path].native]
BY_US = [path for path in POST_ROUTES if not POSTED[path].native]
MARK = "zqxmark"
MEGABYTE = 1_000_000


def marker(name: str) -> str:
    """A unique word of letters only, so that it is not masked as personal data."""
    return MARK + "".join(filter(str.isalpha, name))


def marked(bodies: dict[str, str]) -> dict[str, str]:
    return {name: body.replace("MARK", marker(name)) for name, body in bodies.items()}


def wrong_fields() -> dict[str, str]:
    """A body for each combination of a field and an invalid JSON value."""
    anything = {"integer": "1", "fraction": "1.5", "list": '["MARK"]', "object": '{"MARK": 1}', "huge": "1e999"}
    word, nothing, true = {"word": '"MARK"'}, {"null": "null"}, {"true": "true"}
    wrong = {
        "text": anything | nothing | true,
        "customer_id": anything | true | {"empty": '""', "nul": '"MARK\\u0000"', "long": f'"MARK{"x" * 50}"'},
        "session_id": anything | true | {"empty": '""', "nul": '"MARK\\u0000"', "long": f'"MARK{"x" * 100}"'},
        "channel": anything | nothing | true | word | {"case": '"CHAT"'},
        "customer_tier": anything | nothing | true | word,
        "language": anything | true | word | {"newline": '"en\\n"', "long": f'"en{"-MARK" * 20}"'},
        "waiting_since": anything | true | word | {"number": "1e20", "text": '"123456789"', "year": '"99999-01-01"'},
        "store": anything | nothing | word | {"text": '"true"'},
    }
    return {
        f"{field} is {kind}": f'{{"text": "MARK", "{field}": {value}}}' if field != "text" else f'{{"text": {value}}}'
        for field, values in wrong.items()
        for kind, value in values.items()
    }


TEXTS = marked(
    wrong_fields()
    | {
        "empty text": '{"text": "", "customer_id": "MARK"}',
        "blank text": '{"text": " \\t\\n\\u00a0\\u3000", "customer_id": "MARK"}',
        "4,001 characters": f'{{"text": "MARK{"x" * 4001}"}}',
        "NUL as an escape": '{"text": "MARK \\u0000"}',
        "NUL as a byte": '{"text": "MARK \x00"}',
        "a control character": '{"text": "MARK \x1f"}',
        "a high surrogate": '{"text": "MARK \\ud800"}',
        "a low surrogate": '{"text": "MARK \\udc00 x"}',
        "surrogates in the wrong order": '{"text": "MARK \\udc00\\ud800"}',
        "a surrogate in a name": '{"text": "MARK", "\\ud800": 1}',
        "NaN": '{"text": NaN, "customer_id": "MARK"}',
        "NaN in an unknown field": '{"text": "x", "MARK": NaN}',
        "Infinity": '{"text": "MARK", "waiting_since": Infinity}',
        "minus Infinity": '{"text": "MARK", "store": -Infinity}',
        "no text": '{"customer_id": "MARK"}',
        "an empty object": "{}",
        "an unknown field": '{"text": "x", "MARK": "MARK"}',
        "a field in capitals": '{"text": "x", "TEXT": "MARK"}',
        "a prototype": '{"text": "x", "__proto__": {"MARK": true}, "__class__": "MARK"}',
        "a list": '["MARK"]',
        "a string": '"MARK"',
        "a number": "7",
        "true": "true",
        "null": "null",
        "cut short": '{"text": "MARK',
        "not closed": '{"text": "MARK"',
        "more after the end": '{"text": "MARK"} {"text": "MARK"}',
        "a comment": '{"text": "MARK"} // MARK',
        "a trailing comma": '{"text": "MARK",}',
        "single quotes": "{'text': 'MARK'}",
        "no quotes": "{text: MARK}",
        "two byte order marks": '\ufeff\ufeff{"text": "MARK"}',
        "a bad escape": '{"text": "MARK \\x41"}',
        "a form": "text=MARK&store=true",
        "XML": '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>MARK&b;</a>',
        "blanks": " \r\n\t ",
        "nothing": "",
        "a deep list": f'{{"text": "MARK", "x": {"[" * 10_000}{"]" * 10_000}}}',
        "a deep object": '{"text": "MARK", "x": ' + '{"a": ' * 5_000 + "1" + "}" * 5_001,
        "a deep text": f'{{"text": {"[" * 10_000}"MARK"{"]" * 10_000}}}',
        "a deep list that never closes": "[" * 10_000,
        "an integer of 5,000 digits": f'{{"text": "MARK", "store": {"7" * 5_000}}}',
        "an integer of 4,000 digits": f'{{"text": "MARK", "customer_id": {"7" * 4_000}}}',
    }
)
BODIES: dict[str, bytes] = {name: text.encode() for name, text in TEXTS.items()} | {
    "a surrogate as bytes": f'{{"text": "{marker("a surrogate as bytes")} \ud800"}}'.encode("utf-8", "surrogatepass"),
    "a pair of surrogates as bytes": f'{{"text": "{marker("a pair")} \ud83d\ude00"}}'.encode("utf-8", "surrogatepass"),
    "bytes that are no text": b'{"text": "%b \xff\xfe"}' % marker("bytes that are no text").encode(),
    "an overlong encoding": b'{"text": "%b \xc0\xaf"}' % marker("an overlong encoding").encode(),
    "latin-1": f'{{"text": "{marker("latin")} é"}}'.encode("latin-1"),
    "UTF-16": f'{{"text": "{marker("UTF")}"}}'.encode("utf-16"),
    "UTF-16 without a mark": f'{{"text": "{marker("UTF")}"}}'.encode("utf-16-le"),
    "UTF-32": f'{{"text": "{marker("UTF")}"}}'.encode("utf-32"),
    "gzip": gzip.compress(f'{{"text": "{marker("gzip")}"}}'.encode()),
    "a pickle": b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
}


def good(path: str, word: str = "Where is my parcel?", **fields: Any) -> bytes:
    """A valid body."""
    query = {"text": word, **fields}
    return json.dumps({"queries": [query]} if POSTED[path].batch else query).encode()


def head(server: Server, path: str, *lines: str, method: str = "POST", **replaced: str | None) -> str:
    """The head of a request with a token and a JSON body; `replaced` changes a header, or removes it (None)."""
    headers = {
        "host": f"127.0.0.1:{server.port}",
        "authorization": f"Bearer {server.token()}",
        "content_type": "application/json",
        "connection": "close",
        **replaced,
    }
    named = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *named, *lines])


def send(server: Server, path: str, body: bytes, *lines: str, **replaced: str | None) -> RawResponse:
    start = head(server, path, *lines, f"content-length: {len(body)}", **replaced)
    return send_raw(server.port, start.encode("latin-1") + b"\r\n\r\n" + body)


def assert_refused(response: RawResponse, *, path: str = "", status: int | None = None) -> None:
    """Check for a problem with a 4xx status that contains no input."""
    assert 400 <= response.status < 500, (path, response.status, response.body[:300])
    assert status in (None, response.status), (path, response.status, response.body[:300])
    assert response.headers["content-type"] == "application/problem+json", (path, response.body[:300])
    problem = json.loads(response.body)
    assert set(problem) - {"violations"} == {"type", "title", "status", "detail"}, path
    assert problem["status"] == response.status
    assert problem["type"].startswith("urn:frontdesk:")
    assert MARK not in response.body.decode(), path


def assert_refused_before_any_route(response: RawResponse) -> None:
    """Check for a refusal of malformed HTTP by us, or by uvicorn with 400 in plain text; once per connection."""
    if response.headers.get("content-type") == "application/problem+json":
        assert_refused(response)
    else:
        assert (response.status, response.body) in ((400, b"Invalid HTTP request received."), (0, b""))
    assert MARK not in response.body.decode()


@pytest.fixture(autouse=True)
def _nothing_is_stored(server: Server) -> Iterator[None]:
    """Check that a test does not change the tenant's rows. Tests that store data use another tenant."""
    before = server.count()
    yield
    assert server.count() == before


class TestBodies:
    @pytest.mark.parametrize("name", BODIES)
    def test_it_is_refused_at_every_route(self, server: Server, name: str) -> None:
        for path in POST_ROUTES:
            assert_refused(send(server, path, BODIES[name]), path=path, status=400)

    @pytest.mark.parametrize("name", BODIES)
    def test_it_is_refused_as_an_item_of_a_batch(self, server: Server, name: str) -> None:
        response = send(server, "/v1/understand/batch", b'{"queries": [' + BODIES[name] + b"]}")

        if response.status == 200:
            for result in json.loads(response.body)["results"]:
                assert set(result) == {"error"}
                assert set(result["error"]) - {"violations"} == {"type", "title", "status", "detail"}
            assert MARK not in response.body.decode()
        else:
            assert_refused(response, status=400)

    @pytest.mark.parametrize("path", POST_ROUTES)
    def test_ten_megabytes_are_refused_however_they_are_sent(self, server: Server, path: str) -> None:
        body = good(path, marker("megabytes") * (10 * MEGABYTE // 16))
        chunked = b"".join(b"%x\r\n%b\r\n" % (len(body[at : at + MEGABYTE]), body[at : at + MEGABYTE])
                           for at in range(0, len(body), MEGABYTE))  # fmt: skip
        start = head(server, path, "transfer-encoding: chunked").encode()

        assert_refused(send(server, path, body), status=413)
        assert_refused(send_raw(server.port, start + b"\r\n\r\n" + chunked + b"0\r\n\r\n"), status=413)

    @pytest.mark.parametrize("path", POST_ROUTES)
    def test_a_body_is_refused_by_its_declared_length_before_it_arrives(self, server: Server, path: str) -> None:
        start = head(server, path, f"content-length: {10 * MEGABYTE}").encode()

        assert_refused(send_raw(server.port, start + b"\r\n\r\n{"), status=413)

    @pytest.mark.parametrize("path", WITHOUT_BATCH)
    def test_the_limit_of_a_body_is_exact(self, server: Server, path: str) -> None:
        """Whitespace around the JSON counts. A body that is one byte too long is refused before parsing."""
        body = good(path, "short", store=False)

        assert send(server, path, body.ljust(262_144)).status == 200
        assert_refused(send(server, path, body.ljust(262_145)), status=413)

    def test_too_many_items_and_too_many_violations_are_refused_in_few_words(self, server: Server) -> None:
        many = b'{"queries": [' + b",".join([b"{}"] * 257) + b"]}"
        unknown = json.dumps({f"{marker('many')}{index}": 1 for index in range(3000)}).encode()

        assert_refused(send(server, "/v1/understand/batch", many), status=400)
        assert_refused(send(server, "/v1/understand", unknown), status=400)


class TestHeaders:
    @pytest.mark.parametrize("path", POST_ROUTES)
    @pytest.mark.parametrize(
        "content_type",
        [
            None,
            "",
            "text/plain",
            "text/json",
            "application/jsonx",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/octet-stream",
            "application/vnd.bentoml+pickle",
            "application/vnd.bentoml+arrow",
            "application/vnd.bentoml.stream+json",
            f"{MARK}/{MARK}",
        ],
    )
    def test_another_content_type_is_refused(self, server: Server, path: str, content_type: str | None) -> None:
        assert_refused(send(server, path, good(path), content_type=content_type), status=415)

    @pytest.mark.parametrize("other", ["application/vnd.bentoml+pickle", "multipart/form-data; boundary=x"])
    @pytest.mark.parametrize("paths", [WITH_BENTO, BY_US], ids=["bento", "ours"])
    def test_a_second_content_type_is_refused(self, server: Server, paths: list[str], other: str) -> None:
        """The gateway must not read one of them while BentoML reads the other."""
        for path in paths:
            for first, second in (("application/json", other), (other, "application/json")):
                response = send(server, path, good(path, store=False), f"content-type: {second}", content_type=first)
                assert_refused(response, path=path)

    @pytest.mark.parametrize("path", POST_ROUTES)
    @pytest.mark.parametrize(
        "deadline", ["0", "-1", "1.5", "1e3", "+5", "", "soon " + MARK, "9" * 10, "9" * 5_000, "0x10", "\xb2", "1, 2"]
    )
    def test_a_deadline_that_is_none_is_refused(self, server: Server, path: str, deadline: str) -> None:
        assert_refused(send(server, path, good(path), x_request_deadline_ms=deadline), status=400)

    @pytest.mark.parametrize("path", POST_ROUTES)
    def test_no_or_a_wrong_token_is_refused_before_the_body_is_read(self, server: Server, path: str) -> None:
        for name, authorization in _bad_authorizations(server).items():
            response = send(server, path, b"not even JSON", authorization=authorization)
            assert_refused(response, path=f"{path} {name}", status=401)
            assert response.headers["www-authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("size", [100_000, MEGABYTE])
    def test_a_huge_header_is_refused(self, server: Server, size: int) -> None:
        response = send(server, "/v1/understand", good("/v1/understand"), f"x-huge: {MARK}{'x' * size}")

        assert_refused_before_any_route(response)

    def test_thousands_of_headers_are_refused(self, server: Server) -> None:
        many = [f"x-{MARK}-{index}: {MARK}" for index in range(20_000)]

        assert_refused_before_any_route(send(server, "/v1/understand", good("/v1/understand"), *many))

    def test_a_header_that_we_do_not_know_is_left_alone(self, server: Server) -> None:
        body = good("/v1/understand", store=False)
        response = send(server, "/v1/understand", body, f"x-{MARK}: {MARK}", f"cookie: a={MARK}")

        assert response.status == 200


def _bad_authorizations(server: Server) -> dict[str, str | None]:
    key = load_signing_key(server.home / "keys")
    now = int(time.time())
    claims = {"iss": "frontdesk", "aud": "frontdesk", "sub": MARK, "tenant": "acme", "scope": "understand answer",
              "iat": now, "nbf": now, "exp": now + 600}  # fmt: skip
    headers = {"kid": key.kid}

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    def signed(changes: dict[str, Any], **header: Any) -> str:
        remaining = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return "Bearer " + jwt.encode(remaining, key.secret, "HS256", headers={**headers, **header})

    return {
        "none": None,
        "empty": "",
        "scheme alone": "Bearer",
        "another scheme": f"Basic {base64.b64encode(MARK.encode()).decode()}",
        "no token": f"Bearer {MARK}",
        "three words": f"Bearer {MARK}.{MARK}.{MARK}",
        "two tokens": f"Bearer {server.token()} {server.token()}",
        "alg none": f"Bearer {part({'alg': 'none', 'typ': 'JWT', **headers})}.{part(claims)}.",
        "alg none, signed": f"Bearer {part({'alg': 'none', **headers})}.{part(claims)}.{MARK}",
        "alg None": f"Bearer {part({'alg': 'NonE', **headers})}.{part(claims)}.{MARK}",
        "another algorithm": f"Bearer {jwt.encode(claims, key.secret * 2, 'HS512', headers=headers)}",
        "another key": f"Bearer {jwt.encode(claims, b'x' * 32, 'HS256', headers=headers)}",
        "expired": signed({"exp": now - 600}),
        "for another audience": signed({"aud": MARK}),
        "by another issuer": signed({"iss": MARK}),
        "a list as scope": signed({"scope": ["understand", "answer"]}),
        "a path as tenant": signed({"tenant": f"../{MARK}"}),
        "no expiry": signed({"exp": None}),
        "a key to fetch": signed({}, jku=f"http://127.0.0.1/{MARK}"),
        "a critical header": signed({}, crit=[MARK], **{MARK: 1}),
        "oversized": signed({"padding": MARK * 700}),
        "a NaN as expiry": f"Bearer {part(headers | {'alg': 'HS256'})}.{part(claims | {'exp': float('nan')})}.{MARK}",
    }


class TestPathsAndMethods:
    @pytest.mark.parametrize(
        "path",
        [
            "//v1/understand",
            "/v1//understand",
            "/v1/understand/",
            "/v1/./understand",
            "/v1/x/../understand",
            "/v1/understand/..",
            "/v1%2funderstand",
            "/v1/understand%2f",
            "/v1/understand%00",
            "/v1/understand%20",
            "/v1/understand;a=b",
            "/V1/Understand",
            "/v1/understand%252f",
            "/v1\\understand",
            "/understand/",
            "/%2e%2e/understand",
            "/answer/submit",
            "/v1/queries/../../etc/passwd",
            "/v1/queries/",
            "/v1/queries/..%2f..%2fetc%2fpasswd",
            "/v1/queries/%2e%2e",
            "/v1/queries/%00",
            "/v1/queries/%ff%fe",
            "/v1/queries/' OR 1=1 --".replace(" ", "%20"),
            "/v1/queries/x/feedback/y",
            "/v1/customers/..%2f..%2fetc%2fpasswd",
            "/v1/customers/a/b",
            "/static_content/",
            "/static_content/nothing.js",
            "/static_content/..",
            "/static_content/%2e%2e",
            "/static_content/..%2f..%2f..%2fetc%2fpasswd",
            "/static_content/../../configuration.yaml",
            "/static_content/..\\..\\configuration.yaml",
            "/static_content/%00",
            "/%",
            "/%zz",
            "/" + "a" * 60_000,
            f"/{MARK}?{MARK}={MARK}#{MARK}",
            # BentoML's own routes that Frontdesk does not offer
            "/healthz",
            "/hostname",
            "/docs.json",
            "/is_ready",
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_a_path_that_is_none_is_refused(self, server: Server, method: str, path: str) -> None:
        response = send(server, path, good("/understand"), method=method)

        assert_refused(response, status=response.status if response.status in (404, 405, 414) else 404)

    @pytest.mark.parametrize(
        "path", ["/v1/understand\x00", "/v1/under\xffstand", "v1/understand", "*", "/v1 /understand"]
    )
    def test_a_malformed_request_line_is_refused(self, server: Server, path: str) -> None:
        assert_refused_before_any_route(send(server, path, good("/understand")))

    @pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
    def test_another_method_is_refused_and_the_right_one_named(self, server: Server, method: str) -> None:
        for path in ONLY_POSTED:
            response = send(server, path, good(path), method=method)
            assert_refused(response, path=path, status=405)
            assert response.headers["allow"] == "POST", path  # RFC 9110, section 15.5.6: a 405 must have Allow

    def test_a_path_with_two_methods_names_both(self, server: Server) -> None:
        response = send(server, "/v1/queries", good("/v1/queries"), method="PUT")
        assert (response.status, response.headers["allow"]) == (405, "POST, GET")

    @pytest.mark.parametrize("path", POST_ROUTES)
    @pytest.mark.parametrize("method", [MARK.upper(), "post", "GET POST", "\x00", "CONNECT"])
    def test_a_method_that_is_none_is_refused(self, server: Server, path: str, method: str) -> None:
        assert_refused_before_any_route(send(server, path, good(path), method=method))

    @pytest.mark.parametrize("path", ONLY_POSTED)
    def test_HEAD_is_refused_without_a_body(self, server: Server, path: str) -> None:  # noqa: N802 - the method's name
        response = send(server, path, good(path), method="HEAD")

        assert (response.status, response.body) == (405, b"")

    @pytest.mark.parametrize("path", ["/v1/understand", "/understand", "/", "/livez", "/nowhere"])
    def test_no_web_socket_is_opened(self, server: Server, path: str) -> None:
        upgrade = ("upgrade: websocket", "sec-websocket-version: 13", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==")
        response = send_raw(
            server.port, head(server, path, *upgrade, method="GET", connection="Upgrade").encode() + b"\r\n\r\n"
        )

        assert 400 <= response.status < 500 or (path in ("/", "/livez") and response.status == 200)


class TestFraming:
    """Request smuggling: two servers that parse one stream differently see different requests (RFC 9112, 11.2)."""

    SMUGGLED = f"GET /livez HTTP/1.1\r\nhost: x\r\nx-request-id: {MARK}-smuggled\r\n\r\n"

    @pytest.mark.parametrize(
        ("lines", "body"),
        [
            (("content-length: 4", "transfer-encoding: chunked"), "0\r\n\r\n"),
            (("transfer-encoding: chunked", "content-length: 0"), "0\r\n\r\n"),
            (("content-length: 2", "content-length: 3"), "{} "),
            (("content-length: 2, 3",), "{} "),
            (("content-length: -1",), "{}"),
            (("content-length: +2",), "{}"),
            (("content-length: 0x2",), "{}"),
            (("content-length: 99999999999999999999999",), "{}"),
            (("transfer-encoding: chunked", "transfer-encoding: identity"), "0\r\n\r\n"),
            (("transfer-encoding: chunked, identity",), "0\r\n\r\n"),
            (("transfer-encoding: xchunked",), "0\r\n\r\n"),
            (("transfer-encoding : chunked",), "0\r\n\r\n"),
            (("transfer-encoding: chunked",), "zz\r\n{}\r\n0\r\n\r\n"),
            (("transfer-encoding: chunked",), "-2\r\n{}\r\n0\r\n\r\n"),
            (("transfer-encoding: chunked",), "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
            (("x-folded: a\r\n b", "content-length: 2"), "{}"),
            (("x-nul: a\x00b", "content-length: 2"), "{}"),
            (("no colon here", "content-length: 2"), "{}"),
        ],
    )
    def test_an_ambiguous_frame_is_refused_and_smuggles_nothing(
        self, server: Server, lines: tuple[str, ...], body: str
    ) -> None:
        start = head(server, "/v1/understand", *lines, connection="keep-alive")
        response = send_raw(server.port, f"{start}\r\n\r\n{body}{self.SMUGGLED}".encode("latin-1"))

        assert_refused_before_any_route(response)
        assert f"{MARK}-smuggled" not in server.log()

    @pytest.mark.parametrize(
        "garbage",
        [
            b"\x00" * 1000,
            b"\xff" * 100_000,
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"HELO example.org\r\n\r\n",
            b"\r\n\r\n\r\n  \r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ],
        ids=["NUL", "ones", "TLS", "SMTP", "blanks", "HTTP/9.9", "HTTP/2"],
    )
    def test_garbage_is_refused(self, server: Server, garbage: bytes) -> None:
        assert_refused_before_any_route(send_raw(server.port, garbage))


class TestIdentifiers:
    @pytest.mark.parametrize(
        "customer_id",
        [
            "'; DROP TABLE queries; --",
            "../../etc/passwd",
            "{{7*7}}",
            "${jndi:ldap://x}",
            "<script>alert(1)</script>",
            "%s%n",
            "null",
            "\u202eevil",
            "\r\nset-cookie: a=b",
            "\U0001f600" * 50,
        ],
    )
    def test_an_absurd_customer_id_is_data_and_nothing_more(self, server: Server, customer_id: str) -> None:
        token = f"Bearer {server.token(tenant='absurd')}"
        response = send(server, "/v1/queries", good("/v1/queries", customer_id=customer_id), authorization=token)
        answer = json.loads(response.body)

        assert response.status == 200
        (stored,) = server.rows("SELECT customer_id FROM queries WHERE id = ?", answer["query_id"])
        assert stored["customer_id"] == customer_id
        assert "set-cookie" not in response.headers


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("text", "customer_id", "session_id", "channel", "customer_tier", "language", "waiting_since", "queries")
MOMENTS = st.builds(
    lambda moment, sign, hours, minutes: f"{moment}{sign}{hours:02}:{minutes:02}",
    st.datetimes().map(datetime.isoformat) | st.sampled_from(["0001-01-01T00:00:00", "9999-12-31T23:59:59"]),
    st.sampled_from("+-"),
    st.integers(0, 23),
    st.integers(0, 59),
)
"""Times with any offset; some lie outside the years 1 to 9999 in UTC."""
WRITTEN = JSON_VALUES | st.text() | st.datetimes().map(str) | MOMENTS
BODY = (
    JSON_VALUES
    | st.fixed_dictionaries({"store": st.just(False)}, optional=dict.fromkeys(FIELDS, WRITTEN))
    | st.fixed_dictionaries({"store": st.just(False), "text": st.just("Where is my parcel?"), "waiting_since": MOMENTS})
)


class TestRandomBodies:
    @settings(
        max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(path=st.sampled_from(POST_ROUTES), body=BODY, keyed=st.booleans())
    @example(path="/v1/queries/stream", body={"text": "Where is my parcel?", "store": False}, keyed=False)
    @example(path="/v1/understand", body={"text": "x", "waiting_since": "0001-01-01T00:00:00+23:59"}, keyed=True)
    @example(path="/v1/queries", body={"text": "x", "waiting_since": "9999-12-31T23:59:59-23:59"}, keyed=True)
    @example(path="/v1/queries/stream", body={"text": "x", "waiting_since": "0001-01-01T00:00:00+00:01"}, keyed=True)
    @example(path="/understand", body={"text": "x", "waiting_since": "0001-01-01T00:00:00+00:01"}, keyed=True)
    def test_no_json_makes_the_server_fail(self, server: Server, path: str, body: Any, keyed: bool) -> None:
        lines = [f"idempotency-key: {uuid4()}"] if keyed else []
        response = send(server, path, json.dumps(body).encode(), *lines)

        if response.status == 200:
            assert all(_answers(response))
        else:
            assert_refused(response, path=path, status=400)


def _answers(response: RawResponse) -> list[Any]:
    """The answer, or the data of each event of a stream, which must end with `final`."""
    if response.headers.get_content_type() != "text/event-stream":
        return [json.loads(response.body)]
    events = response.body.decode().strip().split("\n\n")
    assert events[-1].startswith("event: final\n")
    return [json.loads(event.partition("\ndata: ")[2]) for event in events]


class TestSlowClients:
    def test_slow_and_half_open_connections_do_not_hold_up_others(self, server: Server) -> None:
        begun = [
            b"",
            b"POST /v1/queries HT",
            head(server, "/v1/queries").encode(),
            head(server, "/v1/queries", "content-length: 1000").encode() + b"\r\n\r\n{",
        ]
        with ExitStack() as stack:
            for index in range(20):
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
                connection.sendall(begun[index % len(begun)])
            for _ in range(10):
                started = time.monotonic()
                response = send(server, "/v1/understand", good("/v1/understand", store=False))
                assert response.status == 200
                assert time.monotonic() - started < 2.0

    def test_a_body_that_never_ends_is_given_up_at_the_deadline(self, server: Server) -> None:
        start = head(server, "/v1/queries", "content-length: 1000", "x-request-deadline-ms: 300").encode()
        started = time.monotonic()
        response = send_raw(server.port, start + b"\r\n\r\n{", timeout_s=5.0)

        assert 400 <= response.status < 600
        assert response.status != 500
        assert time.monotonic() - started < 3.0

    def test_a_client_that_hangs_up_in_the_middle_is_no_defect(self, server: Server) -> None:
        start = head(server, "/v1/queries", "content-length: 1000", "x-request-id: hung-up").encode()
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(start + b"\r\n\r\n{")
        line = _line(server, "hung-up")

        assert 400 <= line["status"] < 500


class TestTraces:
    def test_nothing_of_it_is_in_the_log_or_the_metrics(self, server: Server) -> None:
        """All bodies at all routes again, each with a request id that proves that its log was searched."""
        sent = ["trace-none"]
        send(server, "/livez", b"", method="GET", x_request_id=f"{MARK} with blanks")
        send(server, f"/{MARK}", b"", x_request_id=sent[0])
        for path in POST_ROUTES:
            for number, body in enumerate(BODIES.values()):
                sent.append(f"trace-{path.replace('/', '.')}-{number}")
                send(server, path, body, x_request_id=sent[-1])
            for name, authorization in _bad_authorizations(server).items():
                sent.append(f"trace-{path.replace('/', '.')}-{''.join(filter(str.isalnum, name))}")
                send(server, path, good(path), x_request_id=sent[-1], authorization=authorization)
        for index, line in enumerate((f"x-{MARK}: {MARK}", f"traceparent: {MARK}", f"cookie: {MARK}")):
            sent.append(f"trace-header-{index}")
            send(server, f"/v1/understand?{MARK}={MARK}", b"{}", line, x_request_id=sent[-1])
        _line(server, sent[-1])

        log, metrics = server.log(), httpx2.get(f"{server.url}/metrics").text
        assert [name for name in sent if f'"{name}"' not in log] == []
        assert MARK not in log.lower()
        assert MARK not in metrics.lower()

    def test_none_of_it_was_a_defect(self, server: Server) -> None:
        """After all previous tests no worker has logged an error or sent a 500."""
        lines = [json.loads(line) for line in server.log().splitlines() if line.startswith('{"')]

        assert [line for line in lines if line["level"] == "error"] == []
        assert [line for line in lines if line.get("status") == 500] == []
        assert "Traceback" not in server.log()


def _line(server: Server, request_id: str) -> dict[str, Any]:
    """Wait for the request's line in the log."""
    give_up = time.monotonic() + 3.0
    while time.monotonic() < give_up:
        for line in server.log().splitlines():
            if f'"{request_id}"' in line:
                entry: dict[str, Any] = json.loads(line)
                return entry
        time.sleep(0.02)
    raise AssertionError(f"no line of {request_id} in the log")

"""Personal values through every door, searched for as raw bytes in all that a running server leaves behind.

What masking itself does not find is counted in tests/masking; here nothing that it finds may get past it. Sealed
originals hold the values and are searched too: a value must not be readable in them.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from html import escape
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx2
import numpy as np
import redis

from frontdesk.masking import KINDS, mask
from model_store.bundle import Bundle
from tests.masking.marked import marked_messages, plain, values
from tests.support.faulty_llm import FaultyServer, faulty_server
from tests.support.redis_server import RedisServer
from tests.support.serving import Server, home_with

PATIENCE_S = 20.0
BATCH = 256
HEAD = 8
QUESTION = "Where is my parcel? It should have come on Monday."

PLANTED = (
    ("EMAIL", "maria.lindqvist@example.org", "Please write to {} about my parcel."),
    ("EMAIL", "jürgen.groß@beispiel.example", "Bitte schreiben Sie an {}, das Paket fehlt."),
    ("EMAIL", "pierre+achats@exemple.example", "Mon adresse est {}, où est mon colis ?"),
    ("EMAIL", "o.neill_77@mail.example.co.uk", "My mail: {}, where is my refund?"),
    ("EMAIL", "lucia.ferrari@posta.example", "La mia email è {}, dov'è il pacco?"),
    ("EMAIL", "UPPER.CASE@EXAMPLE.COM", "cancel it and tell {}"),
    ("PHONE", "+44 20 7946 0958", "Ring me on {} please."),
    ("PHONE", "+49 30 901820", "Rufen Sie mich unter {} an."),
    ("PHONE", "+33 1 42 68 53 00", "Appelez-moi au {} s'il vous plaît."),
    ("PHONE", "+34 912 345 678", "Mi teléfono es {}, gracias."),
    ("PHONE", "(555) 234-0199", "my cell is {}, call me"),
    ("PHONE", "07700900123", "I rang on {} yesterday."),
    ("CARD", "4111 1111 1111 1111", "I paid with {} and it was declined."),
    ("CARD", "5224595711777746", "Karte {} wurde abgelehnt."),
    ("CARD", "4010 9281 5901 3962", "ma carte {} est refusée"),
    ("CARD", "3712 154728 03852", "la tarjeta {} no funciona"),
    ("IBAN", "DE89370400440532013000", "Refund to {} please."),
    ("IBAN", "DE50 5260 1815 9083 0166 13", "Bitte auf {} überweisen."),
    ("IBAN", "GB45NWBK21223307924402", "my IBAN is {}"),
    ("IBAN", "FR7630006000011234567890189", "remboursez sur {}"),
    ("ORDER", "48213-7765", "Order #{} never came."),
    ("ORDER", "ORD-9928177", "please redirect order {}"),
    ("ORDER", "INV-2024-0613", "invoice {} is wrong"),
    ("ORDER", "1Z999AA10123456784", "tracking {} shows nothing"),
    ("ORDER", "BK-7712099", "booking {} must be changed"),
    ("ACCOUNT", "7712093441", "account number {} is locked"),
    ("ACCOUNT", "556712045", "membership number {} does not work"),
    ("ID", "123-45-6789", "My SSN is {}, is that a problem?"),
    ("ID", "AB 12 34 56 C", "My NI number is {}."),
    ("ID", "X12345678", "passport number {} is needed?"),
    ("SECRET", "83920174", "my TAN {} was refused"),
    ("IP", "192.0.2.171", "someone logged in from {}"),
    ("IP", "2001:db8::8a2e:370:7334", "opened from {} last night"),
    ("IP", "198.51.100.23", "Anmeldung von {} war ich nicht"),
    ("URL", "https://shop.example/reset?token=ab12cd34ef", "the reset link {} does not work"),
    ("URL", "https://shop.example/o/77?key=Zx9-77aa81bb", "mon lien {} est mort"),
    ("NAME", "Maria Lindqvist", "My parcel is late.\nBest regards,\n{}"),
    ("NAME", "Jürgen Großmann", "Das Paket fehlt.\nMit freundlichen Grüßen\n{}"),
    ("NAME", "François Lefèvre", "Où est mon colis ?\nCordialement,\n{}"),
    ("NAME", "José Ñúñez Peña", "¿Dónde está mi paquete?\nSaludos,\n{}"),
    ("NAME", "Priya Ramanathan", "My name is {} and I want a refund."),
    ("NAME", "Siobhán O'Connor", "Dear Ms {}, where is it?"),
    ("NAME", "Anna-Lena Bergström", "Hello, my name is {} and my card was charged twice."),
    ("ADDRESS", "221b Baker Street, London NW1 6XE", "ship it to {}"),
    ("ADDRESS", "350 Fifth Ave, Apt 4B, New York, NY 10118", "Ship it to {} please"),
    ("ADDRESS", "Flat 3, 12 High Street, Leeds LS1 4AP", "{} is the new one"),
    ("ADDRESS", "1450 Maple Drive, Portland, OR 97201", "deliver to {}"),
    ("ADDRESS", "Hauptstraße 12, 10115 Berlin", "Neue Adresse: {}"),
    ("EMAIL", "søren.ærø@eksempel.example", "write to {} in Danish"),
    ("EMAIL", "zoë.krüger@example.net", "e-mail {} bounced"),
    ("PHONE", "+39 06 6982 1234", "chiamatemi al {}"),
    ("ORDER", "RF-5510277", "refund {} has not come"),
    ("CARD", "6011 0009 9013 9424", "my Discover {} was charged twice"),
)


def messages() -> list[tuple[str, str]]:
    """What is written, and the value in it; the beginning is what a language model is asked to answer."""
    return [(f"{QUESTION} {output.format(value)}", value) for _, value, output in PLANTED]


def disguises(value: str) -> set[bytes]:
    """A value as it may lie in a file: as it is, escaped for URLs and JSON, in base64 at any place, in UTF-16."""
    raw = value.encode()
    results = {raw, quote(value).encode(), quote(value, safe="").encode(), quote_plus(value).encode()}
    results |= {json.dumps(value)[1:-1].encode(), json.dumps(value)[1:-1].replace("\\u", "\\\\u").encode()}
    results |= {
        value.encode("utf-16-le"),
        value.encode("utf-16-be"),
        value.encode("latin-1", "ignore"),
        raw.hex().encode(),
    }
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + raw)
        results.add(whole[(0, 2, 3)[shift] : len(whole) - len(whole) % 4 - 4])
    return {form for form in results if len(form) >= HEAD}


def found_in(places: Mapping[str, bytes], looked_for: set[str]) -> set[tuple[str, str]]:
    """Which value is where. Megabytes are searched for thousands of forms by their first eight bytes first."""
    forms = {form: value for value in looked_for for form in disguises(value)}
    heads = np.unique(np.frombuffer(b"".join(form[:HEAD] for form in forms), np.uint64))
    return {
        (place, forms[form])
        for place, content in places.items()
        for form in _begun(content, heads, forms)
        if form in content
    }


def _begun(content: bytes, heads: np.ndarray, forms: Mapping[bytes, str]) -> list[bytes]:
    whole = [content[shift : len(content) - (len(content) - shift) % HEAD] for shift in range(HEAD)]
    observed = [words[np.isin(words, heads)] for words in (np.frombuffer(part, np.uint64) for part in whole)]
    there = {word.tobytes() for word in np.unique(np.concatenate(observed))}
    return [form for form in forms if form[:HEAD] in there]


@contextmanager
def recording_model() -> Iterator[FaultyServer]:
    """An OpenAI-compatible server in a thread, which remembers what it was asked."""
    started, stop = threading.Event(), asyncio.Event()
    held: list[FaultyServer] = []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with faulty_server("good") as server:
            held.append(server)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(PATIENCE_S)
    try:
        yield held[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE_S)
        loop.close()


def everything_in(url: str) -> bytes:
    """All keys and values of a Redis, uncompressed."""
    readers = {
        b"string": lambda client, key: [client.get(key)],
        b"hash": lambda client, key: [part for pair in client.hgetall(key).items() for part in pair],
        b"zset": lambda client, key: client.zrange(key, 0, -1),
        b"list": lambda client, key: client.lrange(key, 0, -1),
        b"set": lambda client, key: client.smembers(key),
    }
    with redis.Redis.from_url(url) as client:
        held = [(key, readers[client.type(key)](client, key)) for key in client.scan_iter(count=1000)]
    return b"\n".join(part for key, parts in held for part in (key, *parts) if part is not None)


def files_of(home: Path) -> dict[str, bytes]:
    """Every file of a home but its models: databases with their WALs, spool, sink, log, metrics of each process."""
    return {
        str(file.relative_to(home)): file.read_bytes()
        for file in home.rglob("*")
        if file.is_file() and "bundles" not in file.relative_to(home).parts
    }


@contextmanager
def database_away(home: Path) -> Iterator[None]:
    """Nobody else can write to it meanwhile."""
    with closing(sqlite3.connect(home / "frontdesk.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def ask_everywhere(client: httpx2.Client) -> bytes:
    """Each value once through one of the doors, in turn; what the readers of the record are shown."""
    for number, (text, _) in enumerate(messages()):
        output = {"text": text, "customer_id": f"customer-{number % 7}", "channel": "email"}
        body = json.dumps(output, ensure_ascii=number % 2 == 0).encode()
        headers = {"content-type": "application/json"}
        if number % 6 == 0:
            with client.stream("POST", "/v1/queries/stream", content=body, headers=headers) as response:
                assert "event: final" in "".join(response.iter_text())
            continue
        path = ("/v1/queries", "/v1/queries", "/v1/understand", "/answer", "/v1/queries")[number % 6 - 1]
        keyed = headers | {"idempotency-key": f"key-{number}"}
        first, again = (client.post(path, content=body, headers=keyed) for _ in range(2))
        assert (first.status_code, again.status_code) == (200, 200), (path, first.text, again.text)
        assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
        if number % 6 == 1:
            judged = client.post(f"/v1/queries/{first.json()['query_id']}/feedback", json={"satisfaction": 2})
            assert judged.status_code == 200
    return b"".join(client.get(path).content for path in ("/v1/queries?limit=200", "/v1/queries/export?format=csv"))


def ask_with_fields_of_mails(client: httpx2.Client) -> bytes:
    """Each value in a field or part of a mail that is not evaluated, or read instead of the text."""
    for number, (text, value) in enumerate(messages()):
        mail = (
            {"text": QUESTION, "html": f"<p>{QUESTION}</p><blockquote>{escape(text)}</blockquote>"},
            {"html": f"<div>{escape(text)}</div>"},
            {"text": f"{QUESTION}\n\nOn 3 May 2026, Shop wrote:\n> {text}"},
            {"subject": text.replace("\n", " "), "text": ""},
            {"text": QUESTION, "headers": {"From": value, "X-Unknown": value}},
            {"text": QUESTION, "transcript": [{"role": "agent", "text": text}, {"role": "customer", "text": text}]},
            {"transcript": [{"role": "agent", "text": "Hello"}, {"role": "customer", "text": text}]},
        )[number % 7]
        path = ("/v1/queries", "/v1/understand", "/answer")[number % 3]
        response = client.post(path, json={**mail, "customer_id": f"customer-{number % 7}"})
        assert response.status_code == 200, (mail, response.text)
        if path == "/v1/queries":
            stored = client.get(f"/v1/queries/{response.json()['query_id']}")
            assert not any(form in stored.content for form in disguises(value)), (mail, stored.text)
    return b"".join(client.get(path).content for path in ("/v1/queries?limit=200", "/v1/queries/export?format=jsonl"))


def ask_wrongly(client: httpx2.Client) -> None:
    """Values in places where nobody should put them: none is kept or logged, and no answer repeats one."""
    for text, value in messages():
        wrong = (
            client.post("/v1/queries", json={"text": text, value: value}),
            client.get("/v1/queries", params={"intent": value}),
            client.get(f"/v1/queries/{quote(value, safe='')}"),
        )
        assert [response.status_code for response in wrong] == [400, 200, 404], value  # no intent of that name: no rows
        assert not any(form in response.content for response in wrong for form in disguises(value))


def ask_in_batches(client: httpx2.Client, texts: list[str]) -> None:
    for start in range(0, len(texts), BATCH):
        queries = [{"text": text} for text in texts[start : start + BATCH]]
        response = client.post("/v1/understand/batch", json={"queries": queries})
        assert response.status_code == 200
        assert not [result for result in response.json()["results"] if "error" in result]


def spooled_meanwhile(client: httpx2.Client, home: Path) -> dict[str, bytes]:
    """Answers while the database is away; the files as they are while those wait in the spool."""
    with database_away(home):
        for text, _ in messages()[:8]:
            response = client.post("/v1/queries", json={"text": text, "customer_id": "customer-1"})
            assert (response.status_code, response.json()["stored"]) == (200, "spooled")
        files = {f"{name} while rows wait": content for name, content in files_of(home).items()}
    give_up = time.monotonic() + PATIENCE_S
    while client.get("/readyz").json()["spool_waiting"]:
        assert time.monotonic() < give_up, "the spool did not become empty"
        time.sleep(0.05)
    return files


def test_none_of_the_planted_values_is_anywhere_that_a_server_leaves_behind(
    tiny_bundle: Bundle, tmp_path: Path, redis_server: RedisServer
) -> None:
    marked = marked_messages("look")
    results = {value for message in marked for value in values(message) if value not in mask(plain(message)).text}
    more = {value for value in results if len(value) >= 9}
    planted = {value for _, value in messages()}
    assert {value for text, value in messages() if value in mask(text).text} == set()
    assert (len(planted) >= 50, {kind for kind, _, _ in PLANTED}, len(more) >= 500) == (True, set(KINDS), True)

    home = home_with(tiny_bundle, tmp_path / "home")
    with recording_model() as model:
        settings = {
            "responses__provider": "openai",
            "llm__base_url": model.base_url,
            "llm__model": "recorded",
            "outbox__sinks": ["file"],
            "redis__url": redis_server.url,
            "redis__timeout_s": 1.0,
            "storage__commit_budget_s": 0.3,
        }
        with Server(home, workers=1, **settings) as server, server.client() as client:
            displayed = ask_everywhere(client) + ask_with_fields_of_mails(client)
            ask_wrongly(client)
            ask_in_batches(
                client, [output.format(value) for _, value, output in PLANTED] + [plain(message) for message in marked]
            )
            places = spooled_meanwhile(client, home)
            places |= {"metrics": client.get("/metrics").content, "Redis": everything_in(redis_server.url)}
            places |= {"shown to readers": displayed, "the language model": b"\n".join(model.bodies)}
            places |= {f"{name} while it runs": content for name, content in files_of(home).items()}
        places |= files_of(home)

    assert model.calls >= 10, model.calls  # on a slow machine some requests end at their deadline
    request = [json.loads(body)["messages"][1:] for body in model.bodies]
    assert {kind for kind in KINDS if f"[{kind}_1]" in json.dumps(request)} >= {"ORDER", "CARD", "PHONE", "NAME"}
    assert b"[EMAIL_1]" in places["events.jsonl"]
    assert b"frontdesk:cache:" in places["Redis"]
    assert b"[EMAIL_1]" in places["spool.db-wal while rows wait"] + places["spool.db while rows wait"]
    assert found_in(places, planted | more) == set()


def test_a_value_is_found_in_each_of_its_disguises() -> None:
    value = "jürgen.groß@beispiel.example"
    lying = [
        value.encode(),
        quote(value).encode(),
        json.dumps({"text": f"to {value}!"}).encode(),
        value.encode("utf-16-le"),
    ]
    lying += [base64.b64encode(b"x" * before + value.encode() + b"and more") for before in range(5)]
    for content in lying:
        assert found_in({"file": b"..." + content + b"..."}, {value}) == {("file", value)}, content
    assert found_in({"file": b"\x00" * 100}, {value}) == set()

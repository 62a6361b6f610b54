"""The Open Inference Protocol as Triton's own clients speak it, over HTTP and gRPC, against a served bundle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as over_grpc
import tritonclient.http as over_http
from tritonclient.utils import InferenceServerException

from model_store.bundle import Bundle
from tests.support.serving import Server

TEXTS = [
    "Where is my parcel? It should have come on Monday.",
    "I want my money back, this is the third time!",
    "Mein Paket ist nicht da. Où est-il ?",
]
NOT_FOUND = {"404", "StatusCode.NOT_FOUND"}
INVALID = {"400", "StatusCode.INVALID_ARGUMENT"}


class Door:
    """One of Triton's two clients, which have the same methods, with a token."""

    def __init__(self, package: Any, address: str, token: str | None) -> None:
        self.package = package
        self.client = package.InferenceServerClient(address)
        if token is not None:
            self.client.register_plugin(_Bearer(token))

    def given(self, texts: list[Any], name: str = "text", **how: Any) -> Any:
        tensor = self.package.InferInput(name, [len(texts)], "BYTES")
        return tensor.set_data_from_numpy(np.array(texts, dtype=np.object_), **how)

    def wanted(self, *names: str, **how: Any) -> list[Any]:
        return [self.package.InferRequestedOutput(name, **how) for name in names]

    def infer(self, model: str, *inputs: Any, **more: Any) -> Any:
        return self.client.infer(model, list(inputs), **more)

    def metadata(self, model: str, version: str = "") -> dict[str, Any]:
        as_json = {"as_json": True} if self.package is over_grpc else {}
        results: dict[str, Any] = self.client.get_model_metadata(model, version, **as_json)
        return results

    def refused(self, *inputs: Any, model: str = "ensemble", **more: Any) -> tuple[str, str]:
        """The status and the message of a refusal."""
        with pytest.raises(InferenceServerException) as refusal:
            self.infer(model, *inputs, **more)
        return refusal.value.status(), refusal.value.message()


class _Bearer:
    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def __call__(self, request: Any) -> None:
        request.headers["authorization"] = self._header


def open_door(server: Server, kind: str, token: str | None) -> Door:
    if kind == "http":
        return Door(over_http, server.url.removeprefix("http://"), token)
    return Door(over_grpc, server.grpc_address, token)


@pytest.fixture(params=["http", "grpc"])
def door(request: pytest.FixtureRequest, server: Server) -> Iterator[Door]:
    opened = open_door(server, request.param, server.token(["understand"]))
    with closing(opened.client):
        yield opened


def strings(array: Any) -> list[str]:
    return [value.decode() if isinstance(value, bytes) else value for value in array.tolist()]


def test_the_server_is_live_and_ready_without_a_token_and_the_rest_needs_one(server: Server, door: Door) -> None:
    with closing(open_door(server, "http" if door.package is over_http else "grpc", None).client) as anyone:
        assert anyone.is_server_live()
        assert anyone.is_server_ready()
        with pytest.raises(InferenceServerException, match="Authorization"):
            anyone.get_server_metadata()
    metadata = door.client.get_server_metadata()
    extensions = metadata["extensions"] if door.package is over_http else metadata.extensions
    assert "binary_tensor_data" in extensions


def test_every_member_and_the_ensemble_are_there_by_name_and_version(door: Door, tiny_bundle: Bundle) -> None:
    intents = len(tiny_bundle.manifest.intents)
    for model in ("ensemble", *tiny_bundle.manifest.members):
        for version in ("", tiny_bundle.version):
            assert door.client.is_model_ready(model, version)
            metadata = door.metadata(model, version)
            assert metadata["versions"] == [tiny_bundle.version]
            assert [(one["name"], one["datatype"]) for one in metadata["inputs"]] == [("text", "BYTES")]
            shapes = {output["name"]: [int(size) for size in output["shape"]] for output in metadata["outputs"]}
            assert shapes["intent_probabilities"] == [-1, intents]
            assert ("out_of_scope_probability" in shapes) == (model == "ensemble")


def test_the_index_and_the_configuration_name_models_and_labels(door: Door, tiny_bundle: Bundle) -> None:
    as_json = {"as_json": True} if door.package is over_grpc else {}
    index = door.client.get_model_repository_index(**as_json)
    rows = index["models"] if door.package is over_grpc else index
    assert {(row["name"], row["state"]) for row in rows} == {
        (name, "READY") for name in ("ensemble", *tiny_bundle.manifest.members)
    }
    config = door.client.get_model_config("ensemble", **as_json)
    parameters = (config["config"] if door.package is over_grpc else config)["parameters"]
    labels = json.loads(parameters["intent_probabilities.labels"]["string_value"])
    assert labels == list(tiny_bundle.manifest.intents)


def test_the_ensemble_says_what_understand_says(server: Server, door: Door, tiny_bundle: Bundle) -> None:
    result = door.infer("ensemble", door.given(TEXTS), request_id="7")
    response = result.get_response()
    output = response if isinstance(response, dict) else {"id": response.id, "model_version": response.model_version}
    assert (output["id"], output["model_version"]) == ("7", tiny_bundle.version)
    with server.client() as client:
        queries = {"queries": [{"text": text, "store": False} for text in TEXTS]}
        answers = client.post("/v1/understand/batch", json=queries).json()["results"]
    assert strings(result.as_numpy("intent")) == [answer["intent"]["label"] for answer in answers]
    assert strings(result.as_numpy("sentiment")) == [answer["sentiment"]["label"] for answer in answers]
    best, out = result.as_numpy("intent_probabilities").max(axis=1), result.as_numpy("out_of_scope_probability")
    np.testing.assert_allclose(best, [answer["intent"]["confidence"] for answer in answers], atol=1e-4)
    np.testing.assert_allclose(out, [answer["intent"]["out_of_scope_probability"] for answer in answers], atol=1e-4)
    by_label = dict(zip(tiny_bundle.manifest.intents, result.as_numpy("intent_probabilities")[0], strict=True))
    assert max(by_label, key=by_label.__getitem__) == answers[0]["intent"]["label"]


def test_each_member_says_what_understand_says_of_it(server: Server, door: Door, tiny_bundle: Bundle) -> None:
    with server.client() as client:
        answer = client.post("/v1/understand", json={"text": TEXTS[0], "store": False}).json()
    opinions = {member["name"]: member for member in answer["members"]}
    assert opinions.keys() == set(tiny_bundle.manifest.members)
    for model, opinion in opinions.items():
        result = door.infer(model, door.given(TEXTS[:1]), model_version=tiny_bundle.version)
        assert strings(result.as_numpy("intent")) == [opinion["intent"]]
        probabilities = result.as_numpy("intent_probabilities")
        assert probabilities.dtype == np.float32
        assert probabilities.sum() == pytest.approx(1, abs=1e-3)
        assert probabilities.max() == pytest.approx(opinion["confidence"], abs=1e-3)
        assert result.as_numpy("sentiment_probabilities").shape == (1, 3)


def test_both_doors_and_both_encodings_say_the_same(server: Server) -> None:
    token = server.token(["understand"])
    http, grpc = open_door(server, "http", token), open_door(server, "grpc", token)
    with closing(http.client), closing(grpc.client):
        results = [
            http.infer("ensemble", http.given(TEXTS)),
            http.infer("ensemble", http.given(TEXTS, binary_data=False)),
            http.infer(
                "ensemble",
                http.given(TEXTS, binary_data=False),
                outputs=http.wanted("intent", "intent_probabilities", binary_data=False),
            ),
            grpc.infer("ensemble", grpc.given(TEXTS)),
        ]
        first = results[0]
        for result in results[1:]:
            assert strings(result.as_numpy("intent")) == strings(first.as_numpy("intent"))
            np.testing.assert_allclose(
                result.as_numpy("intent_probabilities"), first.as_numpy("intent_probabilities"), atol=1e-6
            )
        assert results[2].as_numpy("sentiment") is None


def test_only_what_is_asked_for_is_given(door: Door) -> None:
    result = door.infer("ensemble", door.given(TEXTS), outputs=door.wanted("sentiment_probabilities"))
    assert result.as_numpy("sentiment_probabilities").shape == (3, 3)
    assert result.as_numpy("intent") is None


def test_256_texts_are_one_request_and_257_are_refused(door: Door) -> None:
    assert door.infer("ensemble", door.given(["hi"] * 256)).as_numpy("intent").shape == (256,)
    status, message = door.refused(door.given(["hi"] * 257))
    assert status in INVALID
    assert "from 1 to 256" in message


def test_another_model_or_version_is_not_found(door: Door) -> None:
    assert door.refused(door.given(TEXTS), model="nobody")[0] in NOT_FOUND
    assert door.refused(door.given(TEXTS), model_version="2")[0] in NOT_FOUND


def test_a_wrong_type_shape_name_or_output_is_the_callers_error(door: Door) -> None:
    numbers = door.package.InferInput("text", [1], "FP32").set_data_from_numpy(np.ones(1, np.float32))
    square = door.package.InferInput("text", [1, 2], "BYTES")
    square.set_data_from_numpy(np.array([TEXTS[:2]], dtype=np.object_))
    short = door.given(TEXTS).set_shape([2])
    for inputs, more, says in (
        ([numbers], {}, "datatype BYTES"),
        ([square], {}, "shape [n]"),
        ([short], {}, "goes on after its 2"),
        ([door.given(TEXTS, name="texts")], {}, "named 'text'"),
        ([door.given(TEXTS), door.given(TEXTS, name="more")], {}, "named 'text'"),
        ([door.given(TEXTS)], {"outputs": door.wanted("logits")}, "there are intent, "),
        ([door.given(TEXTS)], {"outputs": door.wanted("intent_probabilities", class_count=3)}, "classification"),
        ([door.given(["planted-marker\0"])], {}, "NUL"),
        ([door.given([b"planted-marker\xff"])], {}, "UTF-8"),
        ([door.given(["planted-marker" * 400])], {}, "4000"),
    ):
        status, message = door.refused(*inputs, **more)
        assert status in INVALID, message
        assert says in message
        assert "planted-marker" not in message


def test_a_token_without_the_scope_and_no_token_are_refused_in_the_protocols_own_words(server: Server) -> None:
    for kind in ("http", "grpc"):
        for token, statuses in (
            (None, {"401", "StatusCode.UNAUTHENTICATED"}),
            (server.token(["answer"]), {"403", "StatusCode.PERMISSION_DENIED"}),
        ):
            door = open_door(server, kind, token)
            with closing(door.client):
                status, message = door.refused(door.given(TEXTS))
            assert status in statuses
            assert "client" not in message  # its complaint about a body that it cannot read


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/v2/models/ensemble/infer", b"", {}, 400),
        ("/v2/models/ensemble/infer", b"{", {"content-type": "application/json"}, 400),
        ("/v2/models/ensemble/infer", b"planted-marker", {"content-type": "text/plain"}, 400),
        ("/v2/models/ensemble/infer", b"{}", {"inference-header-content-length": "9999"}, 400),
        ("/v2/models/ensemble/infer", b"\x1f\x8b", {"content-encoding": "gzip"}, 415),
        ("/v2/models/ensemble/infer/more", b"{}", {}, 404),
        ("/v2/models/ensemble", b"{}", {}, 405),
        ("/v2/logging", b"{}", {}, 404),
    ],
)
def test_what_no_client_would_send_is_the_protocols_error_too(
    server: Server, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    with server.client() as client:
        response = client.post(path, content=body, headers=headers)
    assert response.status_code == status, response.text
    assert list(response.json()) == ["error"]
    assert "planted-marker" not in response.text


def test_nothing_that_was_sent_is_in_the_log_and_no_model_name_is_a_label(server: Server) -> None:
    with server.client() as client:
        planted = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["planted-marker-two \0"]}
        assert client.post("/v2/models/planted-model/infer", json={"inputs": [planted]}).status_code == 404
        assert client.post("/v2/models/ensemble/infer", json={"inputs": [planted]}).status_code == 400
        metrics = client.get("/metrics").text
    assert 'route="/v2/models/{model}/infer"' in metrics
    for observed in (metrics, server.log()):
        assert "planted-m" not in observed

from __future__ import annotations

import pickle

import pytest
from grpc import StatusCode

from bentos.admission.errors import GRPC_STATUS, HTTP_STATUS, TITLES, problem, problem_headers, problem_response
from frontdesk import errors
from frontdesk.errors import BundleError, ErrorKind, FrontdeskError, InvalidQuery, Overloaded


def test_every_kind_has_a_status_and_a_title() -> None:
    assert set(HTTP_STATUS) == set(GRPC_STATUS) == set(TITLES) == set(ErrorKind)
    assert all(400 <= status < 600 for status in HTTP_STATUS.values())
    assert StatusCode.OK not in GRPC_STATUS.values()
    assert StatusCode.UNKNOWN not in GRPC_STATUS.values()


def test_every_error_of_the_tree_has_a_kind_of_its_own() -> None:
    drawn = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, FrontdeskError)]
    kinds = [cls.kind for cls in drawn if cls is not FrontdeskError]
    assert sorted(kinds) == sorted(ErrorKind)
    assert all(cls.__name__ in errors.__doc__ for cls in drawn)


def test_retry_after_is_in_whole_seconds() -> None:
    assert problem_headers(Overloaded("full", retry_after_s=1.2)) == {"retry-after": "2"}


def test_a_problem_names_each_violation() -> None:
    body = problem(InvalidQuery("text is wrong.", violations=(("text", "is missing"),), hint="See /docs."))
    assert body["violations"] == [{"field": "text", "problem": "is missing"}]
    assert body["detail"] == "text is wrong. See /docs."
    assert problem_response(InvalidQuery("x")).media_type == "application/problem+json"


@pytest.mark.parametrize(
    "error",
    [
        BundleError("The graph is wrong.", field="roberta", hint="Train again."),
        InvalidQuery("No.", violations=(("text", "is missing"),)),
        Overloaded("full", retry_after_s=1.2),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_keeps_all_its_fields_when_pickled(error: FrontdeskError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert str(again) == str(error)

"""The status of a failed call, as `grpc_status` and `google.rpc` clients read it."""

from __future__ import annotations

import re

import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc import StatusCode

from bentos.admission.errors import GRPC_STATUS, problem
from bentos.grpc.error_status import code_of, error_status, http_status, internal_error_status
from frontdesk import errors
from frontdesk.errors import (
    AcceptedBatch,
    FrontdeskError,
    InvalidQuery,
    NotFound,
    Overloaded,
    RateLimited,
    StorageUnavailable,
)

ERRORS = (
    InvalidQuery("It is wrong."),
    errors.Unauthenticated("It is wrong."),
    errors.Forbidden("It is wrong."),
    NotFound("It is wrong."),
    errors.MethodNotAllowed("It is wrong.", allowed=("POST",)),
    errors.TooLarge("It is wrong."),
    errors.UnsupportedMedia("It is wrong."),
    errors.IdempotencyKeyInFlight("It is wrong."),
    errors.IdempotencyKeyReused("It is wrong."),
    Overloaded("It is wrong.", retry_after_s=1.0),
    RateLimited("It is wrong.", retry_after_s=1.0),
    errors.DeadlineExceeded("It is wrong.", hint="Wait."),
    StorageUnavailable("It is wrong."),
    errors.BundleError("It is wrong.", field="roberta"),
    errors.ConfigurationError("It is wrong."),
    errors.DataError("It is wrong."),
)


def test_all_kinds_of_errors_are_tested() -> None:
    assert {error.kind for error in ERRORS} == set(errors.ErrorKind)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.kind)
def test_every_error_has_its_code_and_a_reason_in_the_standard_form(error: FrontdeskError) -> None:
    status = error_status(error)
    assert code_of(status) is GRPC_STATUS[error.kind]
    assert status.message == str(error)
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.reason.lower().replace("_", "-"), info.domain) == (error.kind, "frontdesk")
    assert re.fullmatch(r"[A-Z][A-Z0-9_]+[A-Z0-9]", info.reason)


def test_each_violated_rule_is_named() -> None:
    status = error_status(InvalidQuery("No.", violations=(("text", "is missing"), ("language", "is too long"))))
    bad_request = BadRequest()
    assert status.details[1].Unpack(bad_request)
    assert [(one.field, one.description) for one in bad_request.field_violations] == [
        ("text", "is missing"),
        ("language", "is too long"),
    ]


@pytest.mark.parametrize(
    ("error", "seconds"), [(Overloaded("Full.", retry_after_s=1.25), 1.25), (StorageUnavailable("Away."), 5.0)]
)
def test_retryable_errors_have_a_retry_delay(error: FrontdeskError, seconds: float) -> None:
    status = error_status(error)
    retry = RetryInfo()
    assert status.details[1].Unpack(retry)
    assert retry.retry_delay.ToTimedelta().total_seconds() == seconds
    assert code_of(status) is StatusCode.UNAVAILABLE


def test_a_missing_resource_has_no_retry_delay() -> None:
    assert len(error_status(NotFound("It is not there.")).details) == 1


def test_a_defect_is_not_described() -> None:
    assert code_of(internal_error_status()) is StatusCode.INTERNAL
    assert not internal_error_status().details
    assert http_status(ValueError("a customer's words")) == 500


def test_a_batch_that_is_too_large_has_the_accepted_size_in_its_details() -> None:
    error = Overloaded("Too much.", retry_after_s=1.0, accepted=AcceptedBatch(messages=90, characters=351_000))
    info = ErrorInfo()
    assert error_status(error).details[0].Unpack(info)
    assert dict(info.metadata) == {"accepted_messages": "90", "accepted_characters": "351000"}
    assert problem(error)["accepted"] == {"messages": 90, "characters": 351_000}
    assert "accepted" not in problem(Overloaded("Too much.", retry_after_s=1.0))

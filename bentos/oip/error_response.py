"""How an error looks to a caller of the Open Inference Protocol over HTTP: `{"error": "..."}`.

Its status and headers are those of its kind everywhere else. Triton's client cannot read RFC 9457 problem details.
"""

from __future__ import annotations

from pydantic_core import to_json
from starlette.responses import Response

from bentos.admission.errors import http_status, problem_headers
from frontdesk.errors import FrontdeskError


def error_response(error: FrontdeskError) -> Response:
    """The response, which never holds what the caller sent."""
    return Response(
        to_json({"error": str(error)}),
        status_code=http_status(error),
        media_type="application/json",
        headers=problem_headers(error),
    )

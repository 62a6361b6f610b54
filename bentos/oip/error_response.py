"""Error responses of the Open Inference Protocol over HTTP: `{"error": "..."}`.

Status and headers are the same as in other APIs. Triton's client cannot read RFC 9457 problem details.
"""

from __future__ import annotations

from pydantic_core import to_json
from starlette.responses import Response

from bentos.admission.errors import http_status, problem_headers
from frontdesk.errors import FrontdeskError


def error_response(error: FrontdeskError) -> Response:
    """Return the response for an error. It never contains input."""
    return Response(
        to_json({"error": str(error)}),
        status_code=http_status(error),
        media_type="application/json",
        headers=problem_headers(error),
    )

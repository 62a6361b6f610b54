from __future__ import annotations

from typing import Any

import httpx2
from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from bentos.gateway.direct_route import direct_post


class Refused(Exception):
    pass


def application() -> FastAPI:
    async def forgotten() -> None:
        raise AssertionError("a direct route has no dependencies")

    app = FastAPI(dependencies=[Depends(forgotten)])

    @direct_post(app, "/say", summary="Say it")
    async def say(request: Request) -> Response:
        if request.headers.get("refuse"):
            raise Refused
        return Response(await request.body())

    @app.exception_handler(Refused)
    async def refused(*_: Any) -> Response:
        return Response(status_code=418)

    return app


async def test_a_direct_route_gets_the_request_and_its_errors_reach_the_handlers() -> None:
    transport = httpx2.ASGITransport(application())
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk") as client:
        answered = await client.post("/say", content=b"hello")
        refused = await client.post("/say", headers={"refuse": "yes"})
        wrong_method = await client.get("/say")
    assert (answered.status_code, answered.content) == (200, b"hello")
    assert refused.status_code == 418
    assert wrong_method.status_code == 405


def test_a_direct_route_is_in_the_document() -> None:
    assert application().openapi()["paths"]["/say"]["post"]["summary"] == "Say it"

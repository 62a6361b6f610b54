"""grpc.reflection.v1alpha.ServerReflection: the schema of the services, through the same admission as every call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from grpc_reflection.v1alpha import reflection, reflection_pb2

from bentos.grpc.admission import Behaviour, Call


class ReflectionService:
    """Shows the schema of the services called `names`."""

    descriptor = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"]

    def __init__(self, names: Sequence[str]) -> None:
        self._servicer = reflection.aio.ReflectionServicer(names)

    def methods(self) -> dict[str, Behaviour]:
        return {"ServerReflectionInfo": self.info}

    async def info(self, requests: AsyncIterator[Any], _: Call) -> AsyncIterator[Any]:
        async for response in self._servicer.ServerReflectionInfo(requests, None):
            yield response

"""grpc.reflection.v1alpha.ServerReflection: the schema of the services. Its calls also pass admission control."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from grpc_reflection.v1alpha import reflection, reflection_pb2

from bentos.grpc.call import Behaviour, CallState


class ReflectionService:
    """Answers queries for the schema of the services `names`."""

    descriptor = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"]

    def __init__(self, names: Sequence[str]) -> None:
        self._servicer = reflection.aio.ReflectionServicer(names)

    def methods(self) -> dict[str, Behaviour]:
        """The methods by name."""
        return {"ServerReflectionInfo": self.info}

    async def info(self, requests: AsyncIterator[Any], _: CallState) -> AsyncIterator[Any]:
        """Yield one response for each request."""
        async for response in self._servicer.ServerReflectionInfo(requests, None):
            yield response

"""Limits of open file descriptors, which are shared by connections, the database and files."""

from __future__ import annotations

import contextlib
import resource

MAX_DESCRIPTORS = 65_536
MIN_GRPC_CONNECTIONS = 64


def raise_descriptor_limit() -> int:
    """Raise the soft limit of this process to the hard limit, at most to `MAX_DESCRIPTORS`. Return the new soft limit.

    The usual soft limit of 1,024 is an old default for programs that use `select`; servers are expected to raise it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_DESCRIPTORS
    target = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(MAX_DESCRIPTORS, hard)
    if target > soft:
        with contextlib.suppress(OSError, ValueError):  # the soft limit stays
            resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
            return target
    return soft


def grpc_connection_cap(descriptors: int) -> int:
    """Return the maximum number of gRPC connections: an eighth of the descriptors. HTTP uses up to three quarters."""
    return max(MIN_GRPC_CONNECTIONS, descriptors // 8)

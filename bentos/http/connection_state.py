"""The states of an HTTP connection, and the reason that is reported when the deadline of a state passes.

NEW ------> HEADERS -> BODY -> RESPONSE -> IDLE -> HEADERS ...
                                       |-> UNREAD_BODY -> IDLE       (reads the rest of a refused body)
                                       '-> LINGER -> CLOSING
"""

from __future__ import annotations

from enum import IntEnum


class ConnectionState(IntEnum):
    """The state of a connection. From LINGER on, no request is read."""

    NEW = 0
    IDLE = 1
    HEADERS = 2
    BODY = 3
    RESPONSE = 4
    UNREAD_BODY = 5
    LINGER = 6
    CLOSING = 7
    LOST = 8


NEW, IDLE, HEADERS, BODY, RESPONSE, UNREAD_BODY, LINGER, CLOSING, LOST = ConnectionState
REASONS = {
    NEW: "headers",
    IDLE: "idle",
    HEADERS: "headers",
    BODY: "body",
    UNREAD_BODY: "unread_body",
    LINGER: "unread_body",
}

"""Close codes: every one that a client may see, what it means, and whether to come back."""

from __future__ import annotations

from typing import NamedTuple

NORMAL = 1000
GOING_AWAY = 1001
PROTOCOL_ERROR = 1002
UNSUPPORTED_DATA = 1003
LOST = 1006  # never sent: the socket ended without a close frame
INVALID_TEXT = 1007
POLICY_VIOLATION = 1008
TOO_LARGE = 1009
INTERNAL_ERROR = 1011
SERVICE_RESTART = 1012  # what servers send on their own account; this core says 1001
TRY_AGAIN_LATER = 1013
TOKEN_EXPIRED = 4401
TOO_MANY_FAILURES = 4429


class CloseCode(NamedTuple):
    """What a code means, and whether a client that sees it should connect again."""

    meaning: str
    come_back: str


CLOSE_CODES = {
    NORMAL: CloseCode("the application, or the client itself, ended the connection", "as the application says"),
    GOING_AWAY: CloseCode("the server shuts down", "yes, with the last position"),
    PROTOCOL_ERROR: CloseCode("a frame breaks the WebSocket protocol", "not unchanged"),
    UNSUPPORTED_DATA: CloseCode("a binary message; only text is understood", "not unchanged"),
    LOST: CloseCode("no close frame came: the network, or a server that was killed", "yes, with the last position"),
    INVALID_TEXT: CloseCode("a text message that is no UTF-8", "not unchanged"),
    POLICY_VIOLATION: CloseCode(
        "refused: token, origin, too many or malformed messages (HTTP 403 before the connection is accepted)", "not unchanged"
    ),
    TOO_LARGE: CloseCode("a message longer than `max_message_bytes`", "not unchanged"),
    INTERNAL_ERROR: CloseCode(
        "a handler of this connection failed, or the client answered no ping, or revocation could not be checked",
        "yes, with the last position",
    ),
    SERVICE_RESTART: CloseCode("a server other than `serve-ws` shut down before it could drain", "yes, with the last position"),
    TRY_AGAIN_LATER: CloseCode(
        "the client reads too slowly, or the server is full, draining, or without its Redis", "later, with the last position"
    ),
    TOKEN_EXPIRED: CloseCode("its token has expired", "with a new token"),
    TOO_MANY_FAILURES: CloseCode("its address failed too often", "later"),
}

#: What a client does; each text of ``come_back`` means one of them.
STOP, NOW, LATER, TOKEN = "stop", "now", "later", "token"
_ADVICE = {
    "as the application says": STOP,
    "not unchanged": STOP,
    "yes, with the last position": NOW,
    "later, with the last position": LATER,
    "later": LATER,
    "with a new token": TOKEN,
}


def advice(code: int) -> str:
    """Return what a client does that sees a code; one that is not listed counts as LOST."""
    return _ADVICE[CLOSE_CODES.get(code, CLOSE_CODES[LOST]).come_back]


def table() -> str:
    """Return the codes as a Markdown table."""
    lines = ["| close code | means | come back? |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {code} | {means} | {back} |" for code, (means, back) in sorted(CLOSE_CODES.items()))])

"""Fault injection: a test or a demonstration makes the next requests to a system fail in a chosen way."""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class System(StrEnum):
    """The systems that the workspace emulates."""

    SLACK = "slack"
    GITHUB = "github"
    JIRA = "jira"
    TEAMS = "teams"


class Fault(BaseModel):
    """A fault for the next `count` requests.

    status: an HTTP status; "timeout" waits for `seconds`, then closes the connection without processing the request;
    "lost_answer" processes the request, then closes the connection without a response.
    error: the code in the body of a Slack error, which Slack sends with status 200, such as "is_archived".
    path_contains: the fault applies only to requests whose path contains this.
    body: what is answered with the status, as the system words it; a text is sent as HTML. None: the usual error.
    """

    model_config = ConfigDict(extra="forbid")

    system: System
    status: Literal["timeout", "lost_answer"] | int = Field(union_mode="left_to_right")
    count: int = Field(default=1, ge=1)
    retry_after: int | None = Field(default=None, ge=0)
    path_contains: str = ""
    body: dict[str, Any] | list[Any] | str | None = None
    error: str = ""
    seconds: float = Field(default=30.0, ge=0, le=300)


class LoggedRequest(BaseModel):
    """One request to a system. `status` is None if the connection was closed without a response."""

    at: float
    system: System
    method: str
    path: str
    status: int | None
    fault: str | None = None


LOG_LENGTH = 5000


class Faults:
    """The pending faults, and the log of requests to all systems."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []
        self.log: deque[LoggedRequest] = deque(maxlen=LOG_LENGTH)

    def take(self, system: System, path: str) -> Fault | None:
        """Return the fault that applies to this request and decrement its count, or None."""
        for fault in self.pending:
            if fault.system == system and fault.path_contains in path:
                fault.count -= 1
                if fault.count == 0:
                    self.pending.remove(fault)
                return fault
        return None


def error_body(system: System, status: int, error: str = "") -> dict[str, object]:
    """Return the body of an error in the system's own format; `error` is the code, where Slack sends one."""
    limited = status == 429
    if system is System.SLACK and error:
        return {"ok": False, "error": error}
    if system is System.SLACK:
        return {"ok": False, "error": "ratelimited" if limited else "internal_error"}
    if system is System.JIRA:
        return {"errorMessages": ["Rate limit exceeded." if limited else "Internal server error"], "errors": {}}
    if system is System.GITHUB:
        return {"message": "You have exceeded a secondary rate limit." if limited else "Server Error"}
    return {"error": {"code": "TooManyRequests" if limited else "InternalServerError", "message": f"HTTP {status}"}}

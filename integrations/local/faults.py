"""Faults on order: the next requests to a system fail in the way a test or a demonstration asked for."""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class System(StrEnum):
    """The systems that the workspace stands in for."""

    SLACK = "slack"
    GITHUB = "github"
    JIRA = "jira"
    TEAMS = "teams"


class Fault(BaseModel):
    """What the next `count` requests get.

    status: an HTTP status; "timeout" hangs for `seconds` and hangs up without doing anything; "lost_answer" does what
    was asked and hangs up without saying so. path_contains: only requests with this in their path.
    """

    model_config = ConfigDict(extra="forbid")

    system: System
    status: Literal["timeout", "lost_answer"] | int = Field(union_mode="left_to_right")
    count: int = Field(default=1, ge=1)
    retry_after: int | None = Field(default=None, ge=0)
    path_contains: str = ""
    seconds: float = Field(default=30.0, ge=0, le=300)


class LoggedRequest(BaseModel):
    """One request that a system got. `status` is None where the connection was cut instead of an answer."""

    at: float
    system: System
    method: str
    path: str
    status: int | None
    fault: str | None = None


LOG_LENGTH = 5000


class Faults:
    """The faults that are still to happen, and the log of what was asked of each system."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []
        self.log: deque[LoggedRequest] = deque(maxlen=LOG_LENGTH)

    def take(self, system: System, path: str) -> Fault | None:
        """The fault that this request meets, used up by one."""
        for fault in self.pending:
            if fault.system == system and fault.path_contains in path:
                fault.count -= 1
                if fault.count == 0:
                    self.pending.remove(fault)
                return fault
        return None


def error_body(system: System, status: int) -> dict[str, object]:
    """How each system words an HTTP error."""
    limited = status == 429
    if system is System.SLACK:
        return {"ok": False, "error": "ratelimited" if limited else "internal_error"}
    if system is System.JIRA:
        return {"errorMessages": ["Rate limit exceeded." if limited else "Internal server error"], "errors": {}}
    if system is System.GITHUB:
        return {"message": "You have exceeded a secondary rate limit." if limited else "Server Error"}
    return {"error": {"code": "TooManyRequests" if limited else "InternalServerError", "message": f"HTTP {status}"}}

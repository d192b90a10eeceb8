"""How GitHub says no."""

from __future__ import annotations

from typing import Any

DOCUMENTATION = "https://docs.github.com/rest"


class GithubError(Exception):
    """An answer that is an error: `details` are the entries of a 422's `errors`."""

    def __init__(self, status: int, message: str, details: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.details = details

    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        body: dict[str, Any] = {"message": str(self), "documentation_url": DOCUMENTATION, "status": str(self.status)}
        return body if self.details is None else {**body, "errors": self.details}


def not_found() -> GithubError:
    """What is not there, or not to be seen."""
    return GithubError(404, "Not Found")


def invalid(resource: str, field: str, code: str = "invalid", message: str = "") -> GithubError:
    """A 422 about one field."""
    detail = {"resource": resource, "field": field, "code": code}
    return GithubError(422, "Validation Failed", [{**detail, "message": message} if message else detail])

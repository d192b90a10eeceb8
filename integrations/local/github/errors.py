"""GitHub's error responses."""

from __future__ import annotations

from typing import Any

DOCUMENTATION = "https://docs.github.com/rest"


class GithubError(Exception):
    """An error response. `details` are the entries of `errors` in a 422 response."""

    def __init__(self, status: int, message: str, details: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.details = details

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the response."""
        body: dict[str, Any] = {"message": str(self), "documentation_url": DOCUMENTATION, "status": str(self.status)}
        return body if self.details is None else {**body, "errors": self.details}


def not_found() -> GithubError:
    """Return a 404 error, for a resource that does not exist or is not visible."""
    return GithubError(404, "Not Found")


def invalid(resource: str, field: str, code: str = "invalid", message: str = "") -> GithubError:
    """Return a 422 error about one field."""
    detail = {"resource": resource, "field": field, "code": code}
    return GithubError(422, "Validation Failed", [{**detail, "message": message} if message else detail])

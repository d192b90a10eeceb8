"""Assemble GitHub's REST API under /github."""

from __future__ import annotations

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from integrations.local.config import WorkspaceConfig
from integrations.local.github import commit_routes, data_routes, pull_routes
from integrations.local.github.errors import GithubError, not_found
from integrations.local.github.git import GitError
from integrations.local.github.host import Host
from integrations.local.github.requests import check_token


def install(app: FastAPI, host: Host, config: WorkspaceConfig) -> None:
    """Add the API to the application. Every route requires the token."""

    def authenticated(request: Request) -> None:
        check_token(request, config.github_token.get_secret_value())

    router = APIRouter(prefix="/github", dependencies=[Depends(authenticated)])
    router.include_router(commit_routes.routes(host))
    router.include_router(data_routes.routes(host))
    router.include_router(pull_routes.routes(host))

    @router.api_route("/repos/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def unknown_route() -> None:
        raise not_found()

    app.include_router(router)

    @app.exception_handler(GithubError)
    def answer(_: Request, error: GithubError) -> JSONResponse:
        return JSONResponse(error.body(), status_code=error.status)

    @app.exception_handler(GitError)
    def fail(_: Request, error: GitError) -> JSONResponse:
        return JSONResponse(GithubError(500, str(error)).body(), status_code=500)

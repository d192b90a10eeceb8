"""HTML pages for people: pull requests and commits with their diffs."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from integrations.local.github import history, pulls
from integrations.local.github.errors import GithubError
from integrations.local.github.host import Host
from integrations.local.github.pull_routes import diff_base
from integrations.local.page.templates import render


def routes(host: Host) -> APIRouter:
    """Return the routes of the pages. Like the rest of the page, they require no token."""
    router = APIRouter(prefix="/github/{owner}/{name}")

    @router.get("/pull/{number}.diff")
    def pull_diff(owner: str, name: str, number: int) -> Response:
        try:
            pull = host.pull(f"{owner}/{name}", number)
        except GithubError as error:
            return PlainTextResponse(str(error), status_code=error.status)
        return PlainTextResponse(history.diff(host.git(pull.repository), diff_base(host, pull), pull.head_sha))

    @router.get("/pull/{number}")
    def pull_page(owner: str, name: str, number: int) -> Response:
        try:
            pull = host.pull(f"{owner}/{name}", number)
        except GithubError:
            return HTMLResponse(render("missing.html", message="There is no such pull request."), status_code=404)
        files = history.changes(host.git(pull.repository), diff_base(host, pull), pull.head_sha)
        clean = pulls.mergeable(host, pull)
        return HTMLResponse(render("pull_request.html", pull=pull, files=files, mergeable=clean))

    @router.get("/commit/{sha}")
    def commit_page(owner: str, name: str, sha: str) -> Response:
        try:
            git = host.git(f"{owner}/{name}")
            data = history.commit(git, host.commit_sha(f"{owner}/{name}", sha))
        except GithubError:
            return HTMLResponse(render("missing.html", message="There is no such commit."), status_code=404)
        files = history.changes(git, history.first_parent(data), data.sha)
        return HTMLResponse(render("commit.html", repository=f"{owner}/{name}", commit=data, files=files))

    return router

"""The routes of pull requests, and of the GitHub issues behind them (comments and labels)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from integrations.local.github import history, pulls
from integrations.local.github.errors import GithubError
from integrations.local.github.host import Host, PullRecord
from integrations.local.github.requests import (
    Body,
    LabelNames,
    Repository,
    Shaped,
    optional_text,
    page,
    paginated,
    text,
    wants_diff,
)


def diff_base(host: Host, pull: PullRecord) -> str:
    """Return the commit that a pull request's diff starts from: the merge base of its branches."""
    return history.merge_base(host.git(pull.repository), pull.base_sha, pull.head_sha)


def routes(host: Host) -> APIRouter:
    """Return the routes of pull requests."""
    router = APIRouter(prefix="/repos/{owner}/{name}")

    @router.get("/pulls")
    def list_pulls(request: Request, repository: Repository, shapes: Shaped) -> Response:
        wanted = [pull for pull in host.pulls(repository) if _matches(pull, request)]
        shown, headers = page(request, wanted)
        return JSONResponse([shapes.pull(host, pull) for pull in shown], headers=headers)

    @router.post("/pulls", status_code=201)
    def create_pull(repository: Repository, shapes: Shaped, body: Body) -> dict[str, Any]:
        words = {field: text(body, field, "PullRequest") for field in ("title", "head", "base")}
        record = pulls.open_pull(host, repository, body=optional_text(body, "body", "PullRequest") or "", **words)
        return shapes.pull(host, record, full=True)

    @router.get("/pulls/{number}", response_model=None)
    def get_pull(request: Request, repository: Repository, shapes: Shaped, number: int) -> Response:
        record = host.pull(repository, number)
        if wants_diff(request):
            return PlainTextResponse(history.diff(host.git(repository), diff_base(host, record), record.head_sha))
        return JSONResponse(shapes.pull(host, record, full=True))

    @router.patch("/pulls/{number}")
    def edit_pull(repository: Repository, shapes: Shaped, number: int, body: Body) -> dict[str, Any]:
        words = {field: optional_text(body, field, "PullRequest") for field in ("title", "body", "state")}
        record = pulls.edit(host, repository, number, **words)
        return shapes.pull(host, record, full=True)

    @router.get("/pulls/{number}/files")
    def pull_files(request: Request, repository: Repository, shapes: Shaped, number: int) -> Response:
        record = host.pull(repository, number)
        files = history.changes(host.git(repository), diff_base(host, record), record.head_sha)
        return paginated(request, [shapes.file(file, record.head_sha) for file in files])

    @router.get("/pulls/{number}/commits")
    def pull_commits(request: Request, repository: Repository, shapes: Shaped, number: int) -> Response:
        record = host.pull(repository, number)
        found = history.log(host.git(repository), "--reverse", record.head_sha, f"^{record.base_sha}")
        return paginated(request, [shapes.commit(data) for data in found])

    @router.get("/pulls/{number}/merge", status_code=204, response_class=Response)
    def is_merged(repository: Repository, number: int) -> None:
        if host.pull(repository, number).merged_at is None:
            raise GithubError(404, "Not Found")

    @router.put("/pulls/{number}/merge")
    def merge_pull(repository: Repository, number: int, body: Body) -> dict[str, Any]:
        wanted = pulls.MergeRequest(
            method=optional_text(body, "merge_method", "PullRequest") or "merge",
            expected_head=optional_text(body, "sha", "PullRequest"),
            title=optional_text(body, "commit_title", "PullRequest") or "",
            message=optional_text(body, "commit_message", "PullRequest") or "",
        )
        merged = pulls.merge(host, repository, number, wanted)
        return {"sha": merged.merge_commit_sha, "merged": True, "message": "Pull Request successfully merged"}

    _add_issues(router, host)
    return router


def _add_issues(router: APIRouter, host: Host) -> None:
    @router.get("/issues/{number}")
    def get_issue(repository: Repository, shapes: Shaped, number: int) -> dict[str, Any]:
        return shapes.issue(host.pull(repository, number))

    @router.get("/issues/{number}/comments")
    def list_comments(request: Request, repository: Repository, shapes: Shaped, number: int) -> Response:
        comments = host.pull(repository, number).comments
        return paginated(request, [shapes.comment(number, comment) for comment in comments])

    @router.post("/issues/{number}/comments", status_code=201)
    def add_comment(repository: Repository, shapes: Shaped, number: int, body: Body) -> dict[str, Any]:
        return shapes.comment(number, pulls.comment(host, repository, number, text(body, "body", "IssueComment")))

    @router.get("/issues/{number}/labels")
    def list_labels(request: Request, repository: Repository, shapes: Shaped, number: int) -> Response:
        return paginated(request, shapes.labels(host.pull(repository, number)))

    @router.post("/issues/{number}/labels")
    def add_labels(repository: Repository, shapes: Shaped, number: int, names: LabelNames) -> list[dict[str, Any]]:
        return shapes.labels(pulls.label(host, repository, number, names))


def _matches(pull: PullRecord, request: Request) -> bool:
    query = request.query_params
    head = query.get("head", "").rpartition(":")[2]
    return (
        query.get("state", "open") in ("all", pull.state)
        and head in ("", pull.head)
        and query.get("base", pull.base) == pull.base
    )

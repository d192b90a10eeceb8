"""The read routes: repositories, branches, commits, comparisons and file contents."""

from __future__ import annotations

import base64
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from integrations.local.github import history
from integrations.local.github.errors import GithubError, not_found
from integrations.local.github.git import DEFAULT_BRANCH, Git
from integrations.local.github.host import LOGIN, Host
from integrations.local.github.requests import Repository, Shaped, paginated, wants_diff
from integrations.local.github.shapes import Shapes, account

RATE_LIMIT = 5000


def routes(host: Host) -> APIRouter:
    """Return the read routes of the API."""
    router = APIRouter()

    @router.get("/user")
    def user(request: Request) -> dict[str, Any]:
        return account(f"{str(request.base_url).rstrip('/')}/github", LOGIN)

    @router.get("/rate_limit")
    def rate_limit() -> dict[str, Any]:
        allowance = {"limit": RATE_LIMIT, "used": 0, "remaining": RATE_LIMIT, "reset": int(host.clock()) + 3600}
        return {"resources": {"core": allowance, "search": allowance, "graphql": allowance}, "rate": allowance}

    @router.get("/repos/{owner}/{name}")
    def repository(repository: Repository, shapes: Shaped) -> dict[str, Any]:
        host.git(repository)
        return shapes.repository_json()

    @router.get("/repos/{owner}/{name}/branches")
    def branches(request: Request, repository: Repository, shapes: Shaped) -> Response:
        git = host.git(repository)
        names = git.run("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").splitlines()
        tips = {name: history.resolve(git, f"refs/heads/{name}") for name in names}
        return paginated(request, [shapes.branch(name, history.commit(git, sha)) for name, sha in tips.items() if sha])

    @router.get("/repos/{owner}/{name}/branches/{branch:path}")
    def branch(repository: Repository, shapes: Shaped, branch: str) -> dict[str, Any]:
        git = host.git(repository)
        sha = history.resolve(git, f"refs/heads/{branch}")
        if sha is None:
            raise GithubError(404, "Branch not found")
        return shapes.branch(branch, history.commit(git, sha))

    @router.get("/repos/{owner}/{name}/commits")
    def commits(request: Request, repository: Repository, shapes: Shaped) -> Response:
        git = host.git(repository)
        query = request.query_params
        start = host.commit_sha(repository, query.get("sha") or DEFAULT_BRANCH)
        limits = [f"--{bound}={query[bound]}" for bound in ("since", "until") if query.get(bound)]
        paths = ["--", query["path"]] if query.get("path") else []
        return paginated(request, [shapes.commit(data) for data in history.log(git, *limits, start, *paths)])

    @router.get("/repos/{owner}/{name}/commits/{reference:path}", response_model=None)
    def commit(request: Request, repository: Repository, shapes: Shaped, reference: str) -> Response:
        git = host.git(repository)
        data = history.commit(git, host.commit_sha(repository, reference))
        if wants_diff(request):
            return PlainTextResponse(history.diff(git, history.first_parent(data), data.sha))
        return JSONResponse(shapes.commit(data, history.changes(git, history.first_parent(data), data.sha)))

    @router.get("/repos/{owner}/{name}/compare/{span:path}", response_model=None)
    def compare(request: Request, repository: Repository, shapes: Shaped, span: str) -> Response:
        git = host.git(repository)
        base, dots, head = span.partition("...")
        shas = [history.resolve(git, side) for side in (base, head)]
        if not dots or shas[0] is None or shas[1] is None:
            raise not_found()
        if wants_diff(request):
            return PlainTextResponse(history.diff(git, history.merge_base(git, shas[0], shas[1]), shas[1]))
        return JSONResponse(shapes.comparison(git, shas[0], shas[1]))

    @router.get("/repos/{owner}/{name}/contents", response_model=None)
    @router.get("/repos/{owner}/{name}/contents/{path:path}", response_model=None)
    def contents(
        repository: Repository, shapes: Shaped, path: str = "", ref: str = DEFAULT_BRANCH
    ) -> dict[str, Any] | list[dict[str, Any]]:
        git = host.git(repository)
        sha = history.resolve(git, ref)
        if sha is None:
            raise GithubError(404, f"No commit found for the ref {ref}")
        return _contents(git, shapes, sha, path.strip("/"), ref)

    return router


def _contents(git: Git, shapes: Shapes, sha: str, path: str, ref: str) -> dict[str, Any] | list[dict[str, Any]]:
    """Return a file with its contents, or a directory's entries without contents. Raises GithubError 404."""
    if path:
        own = _entries(git, sha, path)
        if own and own[0]["type"] == "file":
            _, raw, _ = git.run_bytes("cat-file", "blob", own[0]["sha"])
            encoded = base64.encodebytes(raw).decode()
            return {**_entry_json(shapes, own[0], ref), "encoding": "base64", "content": encoded}
        if not own:
            raise not_found()
    return [_entry_json(shapes, entry, ref) for entry in _entries(git, sha, f"{path}/" if path else "")]


def _entries(git: Git, sha: str, path: str) -> list[dict[str, Any]]:
    arguments = ["--", path] if path else []
    found = []
    for line in git.run("ls-tree", "-z", "--long", sha, *arguments).split("\0"):
        if not line:
            continue
        details, _, name = line.partition("\t")
        _, kind, blob, size = details.split()
        sizes = int(size) if size.isdecimal() else 0
        found.append({"type": "dir" if kind == "tree" else "file", "sha": blob, "size": sizes, "path": name})
    return found


def _entry_json(shapes: Shapes, entry: dict[str, Any], ref: str) -> dict[str, Any]:
    path = entry["path"]
    url = f"{shapes.api}/contents/{path}?ref={ref}"
    page = f"{shapes.page}/blob/{ref}/{path}"
    return {
        **entry,
        "name": path.rpartition("/")[2],
        "url": url,
        "html_url": page,
        "git_url": f"{shapes.api}/git/blobs/{entry['sha']}",
        "download_url": None,
        "_links": {"self": url, "html": page},
    }

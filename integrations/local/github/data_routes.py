"""The routes of the git data API: read and create blobs, trees, commits and references."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from integrations.local.github import history, pulls, writing
from integrations.local.github.errors import GithubError, invalid, not_found
from integrations.local.github.git import Git
from integrations.local.github.history import Signature
from integrations.local.github.host import Host
from integrations.local.github.requests import Body, Repository, Shaped, paginated, text
from integrations.local.github.shapes import Shapes
from integrations.local.github.writing import TreeEntry

MODES = {"100644": "blob", "100755": "blob", "120000": "blob", "040000": "tree", "160000": "commit"}


def routes(host: Host) -> APIRouter:
    """Return the routes for git objects and references."""
    router = APIRouter(prefix="/repos/{owner}/{name}/git")

    @router.get("/blobs/{sha}")
    def get_blob(repository: Repository, shapes: Shaped, sha: str) -> dict[str, Any]:
        git = host.git(repository)
        _require(git, sha, "blob")
        _, raw, _ = git.run_bytes("cat-file", "blob", sha)
        return {
            "sha": sha,
            "url": f"{shapes.api}/git/blobs/{sha}",
            "size": len(raw),
            "encoding": "base64",
            "content": base64.encodebytes(raw).decode(),
        }

    @router.post("/blobs", status_code=201)
    def create_blob(repository: Repository, shapes: Shaped, body: Body) -> dict[str, Any]:
        sha = writing.write_blob(host.git(repository), _blob_contents(body))
        return {"sha": sha, "url": f"{shapes.api}/git/blobs/{sha}"}

    @router.get("/trees/{reference:path}")
    def get_tree(repository: Repository, shapes: Shaped, reference: str, recursive: str = "") -> dict[str, Any]:
        git = host.git(repository)
        sha = _tree_sha(git, reference)
        return _tree(git, shapes, sha, recursive=bool(recursive))

    @router.post("/trees", status_code=201)
    def create_tree(repository: Repository, shapes: Shaped, body: Body) -> dict[str, Any]:
        git = host.git(repository)
        base = body.get("base_tree")
        sha = writing.write_tree(git, _tree_sha(git, str(base)) if base else None, _tree_entries(git, body, base))
        return _tree(git, shapes, sha, recursive=False)

    @router.get("/commits/{sha}")
    def get_commit(repository: Repository, shapes: Shaped, sha: str) -> dict[str, Any]:
        git = host.git(repository)
        _require(git, sha, "commit")
        return shapes.git_commit(history.commit(git, sha))

    @router.post("/commits", status_code=201)
    def create_commit(repository: Repository, shapes: Shaped, body: Body) -> dict[str, Any]:
        git = host.git(repository)
        tree, message = text(body, "tree", "Commit"), text(body, "message", "Commit")
        parents = [str(parent) for parent in body.get("parents") or []]
        if history.object_type(git, tree) != "tree":
            raise GithubError(422, "Tree SHA does not exist")
        if any(history.object_type(git, parent) != "commit" for parent in parents):
            raise GithubError(422, "Parent SHA does not exist or is not a commit object")
        author = _signature(host, body.get("author"))
        committer = _signature(host, body.get("committer") or body.get("author"))
        sha = writing.write_commit(git, tree, parents, message, author=author, committer=committer)
        return shapes.git_commit(history.commit(git, sha))

    _add_references(router, host)
    return router


def _add_references(router: APIRouter, host: Host) -> None:
    @router.get("/ref/{reference:path}")
    def get_reference(repository: Repository, shapes: Shaped, reference: str) -> dict[str, Any]:
        name, sha = _existing(host.git(repository), reference)
        return shapes.reference(name, sha)

    @router.get("/refs")
    @router.get("/matching-refs/{prefix:path}")
    def matching_references(request: Request, repository: Repository, shapes: Shaped, prefix: str = "") -> Response:
        lines = host.git(repository).run("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
        pairs = [line.split(" ", 1) for line in lines]
        wanted = [(sha, name) for sha, name in pairs if name.startswith(f"refs/{prefix}")]
        return paginated(request, [shapes.reference(name, sha) for sha, name in wanted])

    @router.get("/refs/{reference:path}")
    def get_full_reference(repository: Repository, shapes: Shaped, reference: str) -> dict[str, Any]:
        return get_reference(repository, shapes, reference)

    @router.post("/refs", status_code=201)
    def create_reference(repository: Repository, shapes: Shaped, body: Body) -> dict[str, Any]:
        git = host.git(repository)
        name, sha = text(body, "ref", "Reference"), text(body, "sha", "Reference")
        if not writing.is_reference_name(git, name):
            raise GithubError(422, "Reference name is not well-formed")
        if history.object_type(git, sha) != "commit":
            raise GithubError(422, "Object does not exist")
        if not writing.move_reference(git, name, sha, writing.NO_OBJECT):
            raise GithubError(422, "Reference already exists")
        return shapes.reference(name, sha)

    @router.patch("/refs/{reference:path}")
    def update_reference(repository: Repository, shapes: Shaped, reference: str, body: Body) -> dict[str, Any]:
        git = host.git(repository)
        sha = text(body, "sha", "Reference")
        try:
            name, old = _existing(git, reference)
        except GithubError as error:
            raise GithubError(422, "Reference does not exist") from error
        if history.object_type(git, sha) != "commit":
            raise GithubError(422, "Object does not exist")
        if not body.get("force") and not writing.is_ancestor(git, old, sha):
            raise GithubError(422, "Update is not a fast forward")
        if not writing.move_reference(git, name, sha, old):
            raise GithubError(409, "Reference cannot be updated")
        return shapes.reference(name, sha)

    @router.delete("/refs/{reference:path}", status_code=204, response_class=Response)
    def delete_reference(repository: Repository, reference: str) -> None:
        git = host.git(repository)
        try:
            name, _ = _existing(git, reference)
        except GithubError as error:
            raise GithubError(422, "Reference does not exist") from error
        writing.delete_reference(git, name)


def _existing(git: Git, reference: str) -> tuple[str, str]:
    name = f"refs/{reference.removeprefix('refs/')}"
    sha = history.resolve(git, name) if writing.is_reference_name(git, name) else None
    if sha is None:
        raise not_found()
    return name, sha


def _require(git: Git, sha: str, kind: str) -> None:
    if history.object_type(git, sha) != kind:
        raise not_found()


def _tree_sha(git: Git, reference: str) -> str:
    if history.object_type(git, reference) == "tree":
        return reference
    commit = history.resolve(git, reference)
    if commit is None:
        raise not_found()
    return history.commit(git, commit).tree


def _blob_contents(body: dict[str, Any]) -> bytes:
    content, encoding = body.get("content"), body.get("encoding", "utf-8")
    if not isinstance(content, str):
        raise invalid("Blob", "content", "missing_field")
    if encoding == "utf-8":
        return content.encode()
    if encoding != "base64":
        raise invalid("Blob", "encoding")
    try:
        return base64.b64decode(content)
    except binascii.Error as error:
        raise GithubError(422, "content is not valid Base64") from error


def _tree_entries(git: Git, body: dict[str, Any], base: object) -> list[TreeEntry]:
    entries = body.get("tree")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise GithubError(422, "Invalid tree info")
    return [_tree_entry(git, entry, has_base=bool(base)) for entry in entries]


def _tree_entry(git: Git, entry: dict[str, Any], *, has_base: bool) -> TreeEntry:
    path, mode, sha = str(entry.get("path") or ""), str(entry.get("mode") or ""), entry.get("sha")
    if not path or any(part in ("", ".", "..") or part.lower() == ".git" for part in path.split("/")):
        raise GithubError(422, f"tree.path contains a malformed path component: {path!r}")
    if mode not in MODES:
        raise GithubError(422, f"tree.mode {mode} is not a valid mode")
    if sha is None and isinstance(entry.get("content"), str):
        sha = writing.write_blob(git, entry["content"].encode())
    elif sha is None and not has_base:
        raise GithubError(422, "tree.sha null needs a base_tree to delete from")
    elif sha is not None and MODES[mode] != "commit" and history.object_type(git, str(sha)) != MODES[mode]:
        raise GithubError(422, f"tree.sha {sha} is not a valid {MODES[mode]}")
    return TreeEntry(path, mode, sha)


def _tree(git: Git, shapes: Shapes, sha: str, *, recursive: bool) -> dict[str, Any]:
    entries = []
    options = ["-r", "-t"] if recursive else []
    for line in git.run("ls-tree", "-z", "--long", *options, sha).split("\0"):
        if not line:
            continue
        details, _, path = line.partition("\t")
        mode, kind, object_sha, size = details.split()
        entry = {"path": path, "mode": mode, "type": kind, "sha": object_sha}
        entry["url"] = f"{shapes.api}/git/{kind}s/{object_sha}"
        entries.append({**entry, "size": int(size)} if size.isdecimal() else entry)
    return {"sha": sha, "url": f"{shapes.api}/git/trees/{sha}", "tree": entries, "truncated": False}


def _signature(host: Host, given: object) -> Signature:
    own = pulls.bot_signature(host)
    if not isinstance(given, dict):
        return own
    if not given.get("name") or not given.get("email"):
        raise GithubError(422, "Invalid request.\n\nAn author needs a name and an email.")
    date = str(given.get("date") or own.date)
    try:
        datetime.fromisoformat(date)
    except ValueError as error:
        raise GithubError(422, f"Invalid request.\n\n{date!r} is not a valid date.") from error
    return Signature(str(given["name"]), str(given["email"]), date)

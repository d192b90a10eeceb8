"""Build GitHub's JSON resources. Their absolute URLs point to the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from integrations.local.github import history, pulls
from integrations.local.github.git import DEFAULT_BRANCH, Git
from integrations.local.github.history import CommitData, FileChange, Signature
from integrations.local.github.host import LOGIN, CommentRecord, Host, PullRecord

Json = dict[str, Any]


def account(root: str, login: str, *, number: int = 1) -> Json:
    """Return a user or an owner."""
    return {
        "login": login,
        "id": number,
        "node_id": f"U_{login}",
        "type": "User",
        "site_admin": False,
        "url": f"{root}/users/{login}",
        "html_url": f"{root}/{login}",
        "repos_url": f"{root}/users/{login}/repos",
        "name": login,
        "email": None,
    }


@dataclass(frozen=True, slots=True)
class Shapes:
    """Builds the resources of one repository; `root` is the base URL of the GitHub API, such as http://host/github."""

    root: str
    repository: str

    @property
    def api(self) -> str:
        """The repository's API URL."""
        return f"{self.root}/repos/{self.repository}"

    @property
    def page(self) -> str:
        """The repository's URL for people."""
        return f"{self.root}/{self.repository}"

    def repository_json(self) -> Json:
        """Return the repository."""
        owner, _, name = self.repository.partition("/")
        return {
            "id": sum(self.repository.encode()),
            "node_id": f"R_{owner}_{name}",
            "name": name,
            "full_name": self.repository,
            "owner": account(self.root, owner, number=2),
            "private": True,
            "fork": False,
            "archived": False,
            "description": None,
            "url": self.api,
            "html_url": self.page,
            "default_branch": DEFAULT_BRANCH,
            "permissions": {"admin": False, "push": True, "pull": True},
            "allow_merge_commit": True,
            "allow_squash_merge": True,
            "allow_rebase_merge": False,
        }

    def branch(self, name: str, tip: CommitData) -> Json:
        """Return a branch with the commit at its tip."""
        return {"name": name, "commit": self.commit(tip), "protected": False}

    def reference(self, name: str, sha: str) -> Json:
        """Return a git reference; `name` is its full name, such as refs/heads/main."""
        return {
            "ref": name,
            "node_id": f"REF_{name}",
            "url": f"{self.api}/git/{name}",
            "object": {"type": "commit", "sha": sha, "url": f"{self.api}/git/commits/{sha}"},
        }

    def git_commit(self, data: CommitData) -> Json:
        """Return a commit in the format of the git data API."""
        return {
            "sha": data.sha,
            "node_id": f"C_{data.sha}",
            "url": f"{self.api}/git/commits/{data.sha}",
            "html_url": f"{self.page}/commit/{data.sha}",
            **self._commit_core(data),
            "parents": self._parents(data, f"{self.api}/git/commits"),
        }

    def commit(self, data: CommitData, files: Sequence[FileChange] | None = None) -> Json:
        """Return a commit in the format of the commits API, with its files if they are given."""
        shown: Json = {
            "sha": data.sha,
            "node_id": f"C_{data.sha}",
            "url": f"{self.api}/commits/{data.sha}",
            "html_url": f"{self.page}/commit/{data.sha}",
            "comments_url": f"{self.api}/commits/{data.sha}/comments",
            "commit": {**self._commit_core(data), "url": f"{self.api}/git/commits/{data.sha}", "comment_count": 0},
            "author": None,
            "committer": None,
            "parents": self._parents(data, f"{self.api}/commits"),
        }
        if files is not None:
            additions, deletions = sum(file.additions for file in files), sum(file.deletions for file in files)
            shown["stats"] = {"additions": additions, "deletions": deletions, "total": additions + deletions}
            shown["files"] = [self.file(file, data.sha) for file in files]
        return shown

    def file(self, change: FileChange, sha: str) -> Json:
        """Return one changed file."""
        shown: Json = {
            "sha": change.blob,
            "filename": change.path,
            "status": change.status,
            "additions": change.additions,
            "deletions": change.deletions,
            "changes": change.additions + change.deletions,
            "blob_url": f"{self.page}/blob/{sha}/{change.path}",
            "raw_url": f"{self.page}/raw/{sha}/{change.path}",
            "contents_url": f"{self.api}/contents/{change.path}?ref={sha}",
        }
        if change.previous_path:
            shown["previous_filename"] = change.previous_path
        if change.patch:
            shown["patch"] = change.patch
        return shown

    def pull(self, host: Host, record: PullRecord, *, full: bool = False) -> Json:
        """Return a pull request; `full` adds the fields that GitHub omits in lists."""
        api, page = f"{self.api}/pulls/{record.number}", f"{self.page}/pull/{record.number}"
        issue = f"{self.api}/issues/{record.number}"
        shown = {
            "id": record.number,
            "node_id": f"PR_{record.number}",
            "number": record.number,
            "url": api,
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "issue_url": issue,
            "commits_url": f"{api}/commits",
            "comments_url": f"{issue}/comments",
            "statuses_url": f"{self.api}/statuses/{record.head_sha}",
            "state": record.state,
            "locked": False,
            "draft": False,
            "title": record.title,
            "body": record.body,
            "user": account(self.root, LOGIN),
            "labels": self.labels(record),
            "created_at": pulls.isoformat(record.created_at),
            "updated_at": pulls.isoformat(record.updated_at),
            "closed_at": _time(record.closed_at),
            "merged_at": _time(record.merged_at),
            "merge_commit_sha": record.merge_commit_sha,
            "head": self._side(record.head, record.head_sha),
            "base": self._side(record.base, record.base_sha),
        }
        return {**shown, **self._pull_details(host, record)} if full else shown

    def issue(self, record: PullRecord) -> Json:
        """Return a pull request in the format of a GitHub issue."""
        issue = f"{self.api}/issues/{record.number}"
        return {
            "id": record.number,
            "number": record.number,
            "url": issue,
            "html_url": f"{self.page}/pull/{record.number}",
            "comments_url": f"{issue}/comments",
            "labels_url": f"{issue}/labels",
            "title": record.title,
            "body": record.body,
            "state": record.state,
            "user": account(self.root, LOGIN),
            "labels": self.labels(record),
            "comments": len(record.comments),
            "pull_request": {"url": f"{self.api}/pulls/{record.number}"},
            "created_at": pulls.isoformat(record.created_at),
            "updated_at": pulls.isoformat(record.updated_at),
        }

    def comment(self, number: int, comment: CommentRecord) -> Json:
        """Return a comment on a pull request."""
        time = pulls.isoformat(comment.created_at)
        return {
            "id": comment.id,
            "url": f"{self.api}/issues/comments/{comment.id}",
            "html_url": f"{self.page}/pull/{number}#comment-{comment.id}",
            "issue_url": f"{self.api}/issues/{number}",
            "body": comment.body,
            "user": account(self.root, LOGIN),
            "created_at": time,
            "updated_at": time,
        }

    def labels(self, record: PullRecord) -> list[Json]:
        """Return the labels of a pull request."""
        return [
            {"id": index, "name": name, "color": "ededed", "url": f"{self.api}/labels/{name}", "default": False}
            for index, name in enumerate(record.labels, start=1)
        ]

    def comparison(self, git: Git, base: str, head: str) -> Json:
        """Compare two commits as GitHub does: from their merge base to the head, oldest commit first."""
        start = history.merge_base(git, base, head)
        ahead = history.log(git, "--reverse", head, f"^{base}")
        behind = len(history.log(git, base, f"^{head}"))
        status = ("diverged" if behind else "ahead") if ahead else ("behind" if behind else "identical")
        url = f"{self.api}/compare/{base}...{head}"
        shown_base = history.commit(git, start if start != history.EMPTY_TREE else base)
        return {
            "url": url,
            "html_url": f"{self.page}/compare/{base}...{head}",
            "permalink_url": f"{self.page}/compare/{base}...{head}",
            "diff_url": f"{self.page}/compare/{base}...{head}.diff",
            "patch_url": f"{self.page}/compare/{base}...{head}.patch",
            "status": status,
            "ahead_by": len(ahead),
            "behind_by": behind,
            "total_commits": len(ahead),
            "base_commit": self.commit(history.commit(git, base)),
            "merge_base_commit": self.commit(shown_base),
            "commits": [self.commit(data) for data in ahead],
            "files": [self.file(file, head) for file in history.changes(git, start, head)],
        }

    def _commit_core(self, data: CommitData) -> Json:
        return {
            "author": _signature(data.author),
            "committer": _signature(data.committer),
            "message": data.message,
            "tree": {"sha": data.tree, "url": f"{self.api}/git/trees/{data.tree}"},
        }

    def _parents(self, data: CommitData, address: str) -> list[Json]:
        return [
            {"sha": sha, "url": f"{address}/{sha}", "html_url": f"{self.page}/commit/{sha}"} for sha in data.parents
        ]

    def _side(self, branch: str, sha: str) -> Json:
        owner = self.repository.partition("/")[0]
        return {
            "label": f"{owner}:{branch}",
            "ref": branch,
            "sha": sha,
            "user": account(self.root, owner, number=2),
            "repo": self.repository_json(),
        }

    def _pull_details(self, host: Host, record: PullRecord) -> Json:
        git = host.git(self.repository)
        files = history.changes(git, history.merge_base(git, record.base_sha, record.head_sha), record.head_sha)
        clean = pulls.mergeable(host, record)
        return {
            "merged": record.merged_at is not None,
            "merged_by": account(self.root, LOGIN) if record.merged_at else None,
            "mergeable": clean,
            "mergeable_state": {True: "clean", False: "dirty", None: "unknown"}[clean],
            "comments": len(record.comments),
            "review_comments": 0,
            "commits": len(history.log(git, record.head_sha, f"^{record.base_sha}")),
            "additions": sum(file.additions for file in files),
            "deletions": sum(file.deletions for file in files),
            "changed_files": len(files),
        }


def _signature(signature: Signature) -> Json:
    return {"name": signature.name, "email": signature.email, "date": signature.date}


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else pulls.isoformat(seconds)

"""Each call to GitHub that Argux makes, with each answer, through the real adapter: waited for, or how to mend it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pytest
import requests
from requests.adapters import BaseAdapter

from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    RejectedError,
    RetryableError,
)
from integrations.github import GitHubCodeHost
from integrations.protocols import CodeHost
from integrations.text import ours

SHOP = "acme/shop"
NEVER = ("token-secret", "<html>")
API = "https://api.github.com"
HEAD, BASE, TREE, BLOB = "a" * 40, "b" * 40, "c" * 40, "d" * 40
ADMITTED = {"content-type": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class Answer:
    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    error: Exception | None = None


def said(message: str, status: int, **headers: str) -> Answer:
    return Answer({"message": message}, status, {name.replace("_", "-"): value for name, value in headers.items()})


PAGE = "<html>Unicorn!</html>"
ANSWERS: dict[str, tuple[Answer, type[IntegrationError], str]] = {
    "401": (said("Bad credentials", 401), AuthenticationError, "GITHUB_TOKEN"),
    "403 rights": (
        said("Resource not accessible by personal access token", 403), AuthenticationError, "read and write"
    ),
    "403 single sign-on": (
        said("Resource protected by organization SAML enforcement.", 403,
             X_GitHub_SSO="required; url=https://github.com/orgs/acme/sso?x=1"),
        AuthenticationError, "https://github.com/orgs/acme/sso?x=1",
    ),
    "403 archived": (said("Repository was archived so is read-only.", 403), AuthenticationError, "archived"),
    "403 secondary limit": (said("You have exceeded a secondary rate limit.", 403), RateLimitedError, ""),
    "403 abuse": (said("You have triggered an abuse detection mechanism.", 403), RateLimitedError, ""),
    "403 with a time": (said("Wait.", 403, Retry_After="90"), RateLimitedError, ""),
    "429": (said("Too many requests", 429), RateLimitedError, ""),
    "primary limit": (
        said("API rate limit exceeded for user", 403, X_RateLimit_Remaining="0", X_RateLimit_Reset="1"),
        RateLimitedError, "",
    ),
    "404": (said("Not Found", 404), NotFoundError, "Not Found"),
    "405": (said("Method Not Allowed", 405), PermanentError, ""),
    "406": (said("The diff exceeded the maximum number of lines", 406), PermanentError, ""),
    "409": (said("Git Repository is empty.", 409), IntegrationError, ""),
    "410": (said("Gone", 410), NotFoundError, "Gone"),
    "422": (
        Answer({"message": "Validation Failed", "errors": [{"message": "No commits between main and x"}]}, 422),
        IntegrationError, "",
    ),
    "422 in words": (Answer({"message": "Validation Failed", "errors": ["a word"]}, 422), IntegrationError, ""),
    "422 as one text": (Answer({"message": "Invalid request.", "errors": "no"}, 422), IntegrationError, ""),
    "451": (said("Repository access blocked", 451), RejectedError, "blocked"),
    "500": (said("Server Error", 500), RetryableError, ""),
    "502 as a page": (Answer(PAGE, 502, {"content-type": "text/html"}), RetryableError, ""),
    "503": (Answer("", 503), RetryableError, ""),
    "504": (Answer(PAGE, 504, {"content-type": "text/html"}), RetryableError, ""),
    "timeout": (Answer(error=requests.ReadTimeout("slow")), RetryableError, "did not answer in time"),
    "reset": (Answer(error=requests.ConnectionError("reset")), RetryableError, "cannot be reached"),
    "cut off": (Answer(error=requests.exceptions.ChunkedEncodingError("cut")), RetryableError, "cannot be reached"),
}  # fmt: skip
MISSHAPEN = {
    "200 as a page": Answer(PAGE, 200, {"content-type": "text/html"}),
    "200 and empty": Answer("", 200),
    "200 and a list": Answer(["a"], 200),
    "200 and a text": Answer('"ok"', 200),
}


def repository() -> dict[str, Any]:
    return {
        "full_name": SHOP, "name": "shop", "url": f"{API}/repos/{SHOP}", "default_branch": "main", "archived": False,
        "permissions": {"push": True}, "allow_merge_commit": True, "allow_squash_merge": True,
        "allow_rebase_merge": True, "owner": {"login": "acme"},
    }  # fmt: skip


def pull(state: str = "open", merged: bool = False) -> dict[str, Any]:
    return {
        "url": f"{API}/repos/{SHOP}/pulls/7", "number": 7, "html_url": "https://github.com/acme/shop/pull/7",
        "issue_url": f"{API}/repos/{SHOP}/issues/7", "comments_url": f"{API}/repos/{SHOP}/issues/7/comments",
        "title": "Revert", "state": state, "merged": merged, "merged_at": "2026-11-18T15:20:00Z" if merged else None,
        "merge_commit_sha": HEAD if merged else None, "head": {"ref": "argux/x", "sha": HEAD},
        "base": {"ref": "main", "sha": BASE}, "draft": False, "mergeable": True, "mergeable_state": "clean",
        "node_id": "PR_1", "id": 7,
    }  # fmt: skip


def commit(sha: str, parent: str | None, tree: str) -> dict[str, Any]:
    who = {"name": "Ana", "email": "a@x.example", "date": "2026-11-18T15:00:00Z"}
    parents = [{"sha": parent, "url": f"{API}/repos/{SHOP}/git/commits/{parent}"}] if parent else []
    git = {"message": "Slow down", "author": who, "committer": who, "tree": {"sha": tree, "url": "x"}}
    return {
        "sha": sha, "url": f"{API}/repos/{SHOP}/commits/{sha}", "html_url": "https://x.example", "parents": parents,
        "commit": git, "files": [], **git,
    }  # fmt: skip


BAD = "e" * 40


@dataclass
class GitHub(BaseAdapter):
    """GitHub's REST API for one repository, whose main has one bad commit. `refuse` maps a call to its answer."""

    refuse: dict[str, Answer] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    merged: bool = False
    closed: bool = False

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        path = unquote(str(request.path_url)).partition("?")[0].removeprefix(f"/repos/{SHOP}")
        name = self._name(str(request.method), path, str(request.headers.get("Accept", "")))
        self.calls.append(name)
        answer = self.refuse.get(name) or self._answer(name, path)
        if answer.error is not None:
            raise answer.error
        response = requests.Response()
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        response.status_code, response._content, response.url = answer.status, text.encode(), str(request.url)
        response.headers.update(ADMITTED | answer.headers)
        response.request = request
        return response

    def close(self) -> None:
        pass

    def _name(self, method: str, path: str, accept: str) -> str:
        if path == "/pulls/7" and "diff" in accept:
            return "diff"
        shape = [part if len(part) != 40 else "SHA" for part in path.split("/")]
        return f"{method} {'/'.join(shape) or '/'}"

    def _answer(self, name: str, path: str) -> Answer:
        if name == "PUT /pulls/7/merge":
            self.merged = True
            return Answer({"sha": HEAD, "merged": True, "message": "ok"})
        if name == "PATCH /pulls/7":
            self.closed = True
        sha = path.rpartition("/")[2]
        answers: dict[str, Any] = {
            "GET /": repository(), "GET /user": {"login": "argux"}, "diff": "diff --git a/x b/x\n",
            "GET /pulls/7": pull("closed" if self.closed else "open", self.merged),
            "PATCH /pulls/7": pull("closed"), "GET /issues/7/comments": [], "POST /issues/7/comments": {"id": 1},
            "GET /git/matching-refs/heads/argux/x": [], "GET /pulls": [], "POST /pulls": pull(),
            "GET /branches/main": {"name": "main", "commit": commit(BAD, BASE, TREE)},
            "GET /commits": [commit(BAD, BASE, TREE), commit(BASE, None, BLOB)],
            "GET /git/commits/SHA": commit(sha, BASE if sha == BAD else None, TREE if sha == BAD else BLOB),
            "GET /commits/SHA": commit(sha, BASE, TREE),
            "GET /git/trees/SHA": {"sha": sha, "tree": [{"path": "shop.py", "mode": "100644", "type": "blob",
                                                         "sha": HEAD if sha == TREE else BLOB}]},
            "POST /git/trees": {"sha": BLOB, "tree": []}, "POST /git/commits": commit(HEAD, BAD, BLOB),
            "POST /git/refs": {"ref": "refs/heads/argux/x", "object": {"sha": HEAD}},
            f"GET /compare/{BASE}...{BAD}": {"commits": [commit(BAD, BASE, TREE)], "total_commits": 1, "files": []},
        }  # fmt: skip
        return Answer(answers[name], 201 if name.startswith("POST") else 200)


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> GitHub:
    found = GitHub()
    monkeypatch.setattr(requests.Session, "get_adapter", lambda self, url: found)
    return found


STEPS: dict[str, Callable[[CodeHost], object]] = {
    "prepare": lambda host: host.open_revert(SHOP, (BAD,), branch="argux/x", title="Revert", body=ours("p95")),
    "read": lambda host: host.pull_request(SHOP, 7),
    "diff": lambda host: host.diff(SHOP, 7),
    "merge": lambda host: host.merge(SHOP, 7, head_sha=HEAD),
    "close": lambda host: host.close(SHOP, 7, comment=ours("A closer look.")),
    "compare": lambda host: host.commits_between(SHOP, BASE, BAD),
    "one commit": lambda host: host.commits_between(SHOP, None, BAD),
    "repository": lambda host: host.check_repository(SHOP),
    "account": lambda host: host.check(),
}


def calls_of(step: str, github: GitHub) -> list[str]:
    """Return the calls of a step that goes well."""
    STEPS[step](GitHubCodeHost("token-secret"))
    return list(dict.fromkeys(github.calls))


def refused(github: GitHub, step: str, call: str, answer: Answer) -> IntegrationError | None:
    github.refuse, github.merged, github.closed = {call: answer}, False, False
    try:
        STEPS[step](GitHubCodeHost("token-secret"))
    except IntegrationError as error:
        return error
    return None


OTHER_WAYS = {
    ("merge", "PUT /pulls/7/merge", status) for status in ("405", "409", "422", "422 in words", "422 as one text")
}
"""A merge that is refused in these ways may be waited for; tests/contract/integrations/test_github_says_no.py."""


@pytest.mark.parametrize("step", STEPS)
def test_each_answer_at_each_call_of_a_step_becomes_the_error_that_says_what_to_do(github: GitHub, step: str) -> None:
    wrong = {}
    for call in calls_of(step, github):
        for name, (answer, kind, text) in ANSWERS.items():
            if (step, call, name) in OTHER_WAYS:
                continue
            error = refused(github, step, call, answer)
            if (
                not isinstance(error, kind)
                or text not in str(error)
                or {"token-secret", "<html>"} & {*str(error).split()}
            ):
                wrong[f"{call}: {name}"] = error
            elif (
                isinstance(error, RateLimitedError)
                and (error.retry_after_seconds or 0.0) < 60.0
                and "primary" not in name
            ):
                wrong[f"{call}: {name} pause"] = error
    assert wrong == {}


@pytest.mark.parametrize("step", STEPS)
def test_an_answer_of_another_shape_is_no_success_and_raises_our_own_errors(github: GitHub, step: str) -> None:
    """A diff is checked by whoever shows it; what is written for a revert, GitHub checks itself at the next call."""
    wrong = {}
    for call in calls_of(step, github):
        if call in ("diff", "POST /issues/7/comments", "POST /git/refs", "POST /git/trees"):
            continue
        for name, answer in MISSHAPEN.items():
            try:
                error = refused(github, step, call, answer)
            except Exception as unexpected:  # noqa: BLE001 - the point is that there is none
                wrong[f"{call}: {name}"] = repr(unexpected)
            else:
                # What a repository says of itself is not needed where the next call tells the truth.
                is_needed = call != "GET /" or step == "repository"
                if error is None and is_needed and name in ("200 as a page", "200 and a text"):
                    wrong[f"{call}: {name}"] = "taken for a success"
    assert wrong == {}

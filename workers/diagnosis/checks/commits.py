"""Check what a deploy's commits change: the repeated query, the endpoint's code, or only documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detection.types import Commit, Deploy
from integrations.errors import IntegrationError, RetryableError
from integrations.text import Markup, ours
from workers.diagnosis import weights
from workers.diagnosis.checks.queries import RepeatedStatement
from workers.diagnosis.diffs import (
    changes_no_code,
    names_tables_of,
    repeated_commits,
    touches_route,
    trace_statement,
)
from workers.diagnosis.model import CommitScore, DiagnosisSources, Evidence, Hypothesis, Outcome
from workers.words.text import counted, deploy_name, query_text, quoted, quoted_code, short_sha

TRIES = 3
LONGEST_WAIT_SECONDS = 3.0
TRIED_AGAIN_WITHIN_SECONDS = 30.0
"""A read that failed after longer than this is not tried again: the code host answers, but too slowly."""

MOST_STATEMENTS = 3
MOST_COMMITS = 100


@dataclass(frozen=True, slots=True)
class CommitsRead:
    """A deploy's commits, oldest first, or why they could not be read.

    error: what the code host said. is_away: it does not answer, so there is no use in asking it for more.
    not_asked: why it was not asked at all. ask_again: what to do once that is mended.
    """

    query: str
    commits: tuple[Commit, ...] = ()
    error: str | None = None
    is_away: bool = False
    not_asked: str | None = None
    ask_again: str = ""


def read_commits(deploy: Deploy, sources: DiagnosisSources) -> CommitsRead:
    """Read the commits from the code host, and try a temporary error TRIES times. The last error is not raised."""
    repository, query, ask_again = deploy.repository, _query(deploy), sources.ask_again
    if sources.code_host is None:
        return CommitsRead(query, not_asked=sources.no_code_host, ask_again=ask_again)
    if not repository:
        reason = f"no repository is known for {deploy.service} (SERVICE_REPOSITORIES)"
        return CommitsRead(query, not_asked=reason, ask_again=ask_again)
    began = sources.clock()
    for remaining in reversed(range(TRIES)):
        try:
            commits = sources.code_host.commits_between(repository, deploy.previous_commit_sha, deploy.commit_sha)
        except RetryableError as error:
            if not remaining or (sources.clock() - began).total_seconds() > TRIED_AGAIN_WITHIN_SECONDS:
                return CommitsRead(query, error=str(error), is_away=True, ask_again=ask_again)
            sources.wait(min(error.retry_after_seconds or 1.0, LONGEST_WAIT_SECONDS))
        except IntegrationError as error:
            return CommitsRead(query, error=str(error), ask_again=ask_again)
        else:
            return CommitsRead(query, commits[-MOST_COMMITS:])
    raise AssertionError("unreachable: the last try returns")


def too_slow(deploy: Deploy, sources: DiagnosisSources) -> CommitsRead:
    """Say that a deploy's commits are not asked for, because those of others took too long."""
    return CommitsRead(_query(deploy), not_asked="GitHub answers too slowly", ask_again=sources.ask_again)


def _query(deploy: Deploy) -> str:
    return query_text(
        "commits_between", repository=deploy.repository, base=deploy.previous_commit_sha, head=deploy.commit_sha
    )


def check_commits(
    hypothesis: Hypothesis,
    read: CommitsRead,
    *,
    statements: Sequence[RepeatedStatement],
    endpoints: Sequence[str],
) -> tuple[list[Evidence], tuple[CommitScore, ...]]:
    """Return the evidence about a deploy's commits, and a score for each commit relative to the others."""
    if hypothesis.deploy is None:
        return [], ()
    name = deploy_name(hypothesis.deploy)
    if not read.commits:
        return [_unread(hypothesis, read, name)], ()
    repeats = repeated_commits(read.commits)
    log_weights = {commit.sha: _initial_weight(commit, repeats) for commit in read.commits}
    checks = [_list_commits(hypothesis, read, name)]
    own = tuple(commit for commit in read.commits if commit.sha not in repeats)
    checks += [_find_statement(hypothesis, read, own, item, log_weights) for item in statements[:MOST_STATEMENTS]]
    checks += [_find_route(hypothesis, read, endpoint, log_weights) for endpoint in endpoints]
    scores = tuple(
        CommitScore(
            sha=commit.sha,
            title=title(commit),
            author=quoted(commit.author, 60),
            url=commit.url,
            log_weight=log_weights[commit.sha],
        )
        for commit in read.commits
    )
    return checks, scores


def title(commit: Commit) -> str:
    """Return the first line of the commit message, as one line."""
    return quoted(commit.message.strip().partition("\n")[0], 80)


def _initial_weight(commit: Commit, repeats: frozenset[str]) -> float:
    """Return the weight of a commit before the search for queries and endpoints."""
    if changes_no_code(commit):
        return weights.COMMIT_ONLY_TEXT
    return weights.COMMIT_REPEATS_OTHERS if commit.sha in repeats else 0.0


def _unread(hypothesis: Hypothesis, read: CommitsRead, name: str) -> Evidence:
    if read.error is not None:
        happened, reason = ours("The commits of {name} could not be read", name=name), read.error
    elif read.not_asked is not None:
        happened, reason = ours("The commits of {name} were not read", name=name), read.not_asked
    else:
        result = ours("{name} brought no commit.", name=name)
        return _evidence("commits", hypothesis, read, result, {}, Outcome.NO_DATA, 0.0)
    result = ours("{happened}: {reason}. {again}", happened=happened, reason=quoted(reason), again=read.ask_again)
    return _evidence("commits", hypothesis, read, result, {}, Outcome.ERROR, 0.0)


def _list_commits(hypothesis: Hypothesis, read: CommitsRead, name: str) -> Evidence:
    running = [commit for commit in read.commits if not changes_no_code(commit)]
    listed = [
        {"sha": commit.sha, "title": title(commit), "author": quoted(commit.author, 60)} for commit in read.commits
    ]
    brought = ours("{name} brought {commits}", name=name, commits=counted(len(read.commits), "commit"))
    if not running:
        words = ours("{brought}, changing only words, pictures or tests.", brought=brought)
        return _evidence(
            "commits", hypothesis, read, words, {"commits": listed}, Outcome.DATA, weights.NOTHING_BUT_TEXT
        )
    aside = len(read.commits) - len(running)
    words = (
        ours("{brought}, {aside} of them only words, pictures or tests.", brought=brought, aside=aside)
        if aside
        else ours("{brought}.", brought=brought)
    )
    return _evidence("commits", hypothesis, read, words, {"commits": listed}, Outcome.DATA, 0.0)


def _find_statement(
    hypothesis: Hypothesis,
    read: CommitsRead,
    commits: Sequence[Commit],
    statement: RepeatedStatement,
    log_weights: dict[str, float],
) -> Evidence:
    """Search for a repeated query in the lines that the commits add, and update `log_weights`."""
    shown = quoted(statement.statement)
    found = []
    for commit in commits:
        trace = trace_statement(commit, statement.statement)
        if trace is not None:
            worth = weights.COMMIT_MOVES_STATEMENT if trace.moved else weights.COMMIT_ADDS_STATEMENT
            worth += weights.COMMIT_BESIDE_LOOP * trace.beside_loop
            log_weights[commit.sha] += worth
            found.append((worth, commit, trace))
    if found:
        _, commit, trace = max(found, key=lambda item: item[0])
        verb = "moves" if trace.moved else "adds"
        words = ours(
            "Commit {sha} “{title}” by {author} {verb}",
            sha=short_sha(commit.sha),
            title=title(commit),
            author=quoted(commit.author, 60),
            verb=verb,
        )
        words = ours(
            "{words} the query {shown} in {path}.",
            words=words,
            shown=quoted_code(shown),
            path=quoted(trace.path, 120),
        )
        data = {
            "statement": shown,
            "commit_sha": commit.sha,
            "path": quoted(trace.path),
            "likeness": trace.likeness,
            "moved": trace.moved,
        }
        return _evidence("statement_in_diff", hypothesis, read, words, data, Outcome.DATA, weights.STATEMENT_IN_DIFF)
    naming = [commit for commit in commits if names_tables_of(commit, statement.statement)]
    for commit in naming:
        log_weights[commit.sha] += weights.COMMIT_NAMES_TABLES
    named = {"statement": shown, "commits": [commit.sha for commit in naming]}
    if naming:
        words = ours(
            "Commit {sha} “{title}” adds code that names the tables of {shown}.",
            sha=short_sha(naming[0].sha),
            title=title(naming[0]),
            shown=quoted_code(shown),
        )
        return _evidence("tables_in_diff", hypothesis, read, words, named, Outcome.DATA, weights.TABLES_IN_DIFF)
    words = ours(
        "No commit of {deploy} adds the query {shown}.", deploy=_deploy_name(hypothesis), shown=quoted_code(shown)
    )
    return _evidence("statement_in_diff", hypothesis, read, words, named, Outcome.DATA, weights.STATEMENT_NOT_IN_DIFF)


def _find_route(hypothesis: Hypothesis, read: CommitsRead, endpoint: str, log_weights: dict[str, float]) -> Evidence:
    """Search for the endpoint's route in the changed code, and update `log_weights`."""
    touching = [(commit, path) for commit in read.commits if (path := touches_route(commit, endpoint))]
    for commit, _ in touching:
        log_weights[commit.sha] += weights.COMMIT_TOUCHES_ROUTE
    shown, data = quoted(endpoint, 120), {"endpoint": endpoint, "commits": [commit.sha for commit, _ in touching]}
    if not touching:
        words = ours(
            "No commit of {deploy} changes code that names {shown}.", deploy=_deploy_name(hypothesis), shown=shown
        )
        return _evidence("route_in_diff", hypothesis, read, words, data, Outcome.DATA, weights.ROUTE_NOT_IN_DIFF)
    shas = ", ".join(short_sha(commit.sha) for commit, _ in touching[:3])
    words = ours(
        "The code of {shown}, {path}, is changed by {shas}.", shown=shown, path=quoted(touching[0][1], 120), shas=shas
    )
    return _evidence("route_in_diff", hypothesis, read, words, data, Outcome.DATA, weights.ROUTE_IN_DIFF)


def _deploy_name(hypothesis: Hypothesis) -> str:
    """Return the name of the hypothesis's deploy."""
    return deploy_name(hypothesis.deploy) if hypothesis.deploy else hypothesis.key


def _evidence(
    check: str,
    hypothesis: Hypothesis,
    read: CommitsRead,
    result: Markup,
    data: Mapping[str, object],
    outcome: Outcome,
    weight: float,
) -> Evidence:
    return Evidence(
        check=check,
        hypothesis_key=hypothesis.key,
        query=read.query,
        source="github",
        result=result,
        data=dict(data),
        outcome=outcome,
        weight=weight,
    )

"""Check for a new N+1: one request runs the same query many times and did not before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detection.types import Metric
from integrations.text import Markup, ours
from storage.telemetry.protocol import StatementCount, TelemetryStore
from workers.diagnosis import weights
from workers.diagnosis.checks.windows import (
    Window,
    before_window,
    during_window,
    query_of_each,
    samples,
    samples_query,
    typical,
)
from workers.diagnosis.model import Characterisation, Evidence, Hypothesis, Outcome
from workers.diagnosis.statements import normal_form
from workers.words.text import number, quoted, quoted_code

REPEATED_AT_LEAST = 5.0
RAISED_AT_LEAST = 3.0
UNCHANGED_AT_MOST = 1.3
_STATEMENTS = 200
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class RepeatedStatement:
    """A query in its normal form and its runs per request; before: None if no statements are kept from then."""

    statement: str
    before: float | None
    during: float

    @property
    def is_repeated(self) -> bool:
        """Whether one request runs the query many times."""
        return self.during >= REPEATED_AT_LEAST

    @property
    def was_repeated_before(self) -> bool:
        """Whether it is known that the query was repeated nearly as often before."""
        return self.before is not None and self.during < RAISED_AT_LEAST * self.before


def query_count_change(hypothesis: Hypothesis, described: Characterisation, telemetry: TelemetryStore) -> Evidence:
    """Compare the queries per request of an endpoint before and during the incident."""
    service, endpoint = hypothesis.service or "", hypothesis.endpoint or ""
    windows = before_window(described), during_window(described)
    before, during = (typical(Metric.QUERY_COUNT, samples(telemetry, service, endpoint, item)) for item in windows)
    if before is None:
        before = _expected_queries(described, endpoint)
    result, weight, outcome = _judge_counts(quoted(endpoint, 120), before, during)
    return Evidence(
        check="query_count",
        hypothesis_key=hypothesis.key,
        query=samples_query(service, endpoint, *windows),
        source="telemetry",
        result=result,
        data={"endpoint": endpoint, "before": before, "during": during},
        outcome=outcome,
        weight=weight,
    )


def _judge_counts(endpoint: str, before: float | None, during: float | None) -> tuple[Markup, float, Outcome]:
    if before is None or during is None:
        return (
            ours("Too few requests of {endpoint} are kept to compare its query counts.", endpoint=endpoint),
            0.0,
            Outcome.NO_DATA,
        )
    if during >= max(RAISED_AT_LEAST * before, REPEATED_AT_LEAST):
        words = ours(
            "{endpoint} runs {during} queries a request instead of {before}.",
            endpoint=endpoint,
            during=number(during),
            before=number(before),
        )
        return words, weights.QUERIES_RAISED, Outcome.DATA
    words = ours(
        "{endpoint} runs {during} queries a request, before it was {before}.",
        endpoint=endpoint,
        during=number(during),
        before=number(before),
    )
    unchanged = during <= UNCHANGED_AT_MOST * max(before, 1.0)
    return words, weights.QUERIES_UNCHANGED if unchanged else 0.0, Outcome.DATA


def _expected_queries(described: Characterisation, endpoint: str) -> float | None:
    """Return the detector's baseline, for when the single requests from before are no longer stored."""
    for symptom in described.symptoms:
        if symptom.metric is Metric.QUERY_COUNT and symptom.endpoint == endpoint:
            return symptom.expected
    return None


def repeated_statements(
    hypothesis: Hypothesis, described: Characterisation, telemetry: TelemetryStore
) -> tuple[Evidence, tuple[RepeatedStatement, ...]]:
    """Return the evidence, and the queries that are newly repeated within a request, most runs first."""
    service, endpoint = hypothesis.service or "", hypothesis.endpoint or ""
    before, during = before_window(described), during_window(described)
    was = _per_request(telemetry, service, endpoint, before)
    now = _per_request(telemetry, service, endpoint, during)
    found = tuple(
        RepeatedStatement(statement, was.get(statement, 0.0) if was else None, per_request)
        for statement, per_request in sorted(now.items(), key=lambda item: -item[1])
    )
    result, weight, outcome = _judge_statements(quoted(endpoint, 120), found)
    new = newly_repeated(found)
    evidence = Evidence(
        check="repeated_statement",
        hypothesis_key=hypothesis.key,
        query=_statements_query(service, endpoint, before, during),
        source="telemetry",
        result=result,
        data={
            "endpoint": endpoint,
            "statements": [
                {"statement": quoted(item.statement, 500), "before": item.before, "during": item.during}
                for item in (new or found)[:_SHOWN]
            ],
        },
        outcome=outcome,
        weight=weight,
    )
    return evidence, new


def newly_repeated(found: Sequence[RepeatedStatement]) -> tuple[RepeatedStatement, ...]:
    """Return the queries that are repeated now and not known to have been repeated before."""
    return tuple(item for item in found if item.is_repeated and not item.was_repeated_before)


def _judge_statements(endpoint: str, found: Sequence[RepeatedStatement]) -> tuple[Markup, float, Outcome]:
    if not found:
        return (
            ours("No database statement of {endpoint} is kept for that time.", endpoint=endpoint),
            0.0,
            Outcome.NO_DATA,
        )
    top = found[0]
    if not top.is_repeated:
        words = ours(
            "No query runs more than {during} times a request of {endpoint}.",
            during=number(top.during),
            endpoint=endpoint,
        )
        return words, weights.NO_STATEMENT_REPEATED, Outcome.DATA
    new = newly_repeated(found)
    if not new:
        words = ours(
            "The query {statement} runs {during} times a request of {endpoint}, as before.",
            statement=quoted_code(top.statement),
            during=number(top.during),
            endpoint=endpoint,
        )
        return words, weights.STATEMENT_REPEATED_AS_BEFORE, Outcome.DATA
    top = new[0]
    before = "" if top.before is None else ours(", before it was {before}", before=number(top.before))
    words = ours(
        "The query {statement} runs {during} times a request of {endpoint}{before}.",
        statement=quoted_code(top.statement),
        during=number(top.during),
        endpoint=endpoint,
        before=before,
    )
    return words, weights.STATEMENT_REPEATED_NEWLY, Outcome.DATA


def _per_request(telemetry: TelemetryStore, service: str, endpoint: str, window: Window) -> dict[str, float]:
    """Return the runs per request by normal form: statements that differ only in literals are one query."""
    counts: Sequence[StatementCount] = telemetry.statement_counts(
        service, endpoint, since=window.since, until=window.until, limit=_STATEMENTS
    )
    together: dict[str, float] = {}
    for count in counts:
        form = normal_form(count.statement)
        together[form] = together.get(form, 0.0) + count.per_request
    return together


def _statements_query(service: str, endpoint: str, *windows: Window) -> str:
    return query_of_each("statement_counts", service, endpoint, *windows, limit=_STATEMENTS)

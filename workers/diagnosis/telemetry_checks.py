"""Checks that ask the telemetry: read-only, each answer one piece of evidence.

Windows: "before" is the half hour up to the earliest onset, "during" from the latest onset (at the latest the middle
of the time since) to the moment of asking, at most half an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.types import DURATION_EDGES_MS, Deploy, EndpointSeries, Integers, Metric
from storage.telemetry.protocol import FINE_ENDPOINT_SECONDS, RequestSample, StatementCount, TelemetryStore
from workers.diagnosis import weights
from workers.diagnosis.model import UNKNOWN, Characterisation, Evidence, Hypothesis, Outcome, Symptom
from workers.diagnosis.statements import normal_form
from workers.diagnosis.words import counted, measure, number, percent, query_text, quoted

WINDOW_SECONDS = 1800.0
FEWEST_REQUESTS = 10
REPEATED_AT_LEAST = 5.0
RAISED_AT_LEAST = 3.0
UNCHANGED_AT_MOST = 1.3
AFFECTED_AT_LEAST = 2.0
TRAFFIC_RISEN_AT = 1.5
_SAMPLES = 500
_STATEMENTS = 200


@dataclass(frozen=True, slots=True)
class Window:
    """Seconds UTC; `since` inclusive, `until` exclusive."""

    since: float
    until: float

    @property
    def minutes(self) -> float:
        """Its length."""
        return max(self.until - self.since, 1.0) / 60


@dataclass(frozen=True, slots=True)
class RepeatedStatement:
    """One query in its normal form, and its runs a request before (None: nothing known of then) and during."""

    statement: str
    before: float | None
    during: float

    @property
    def is_repeated(self) -> bool:
        """Whether one request runs it again and again."""
        return self.during >= REPEATED_AT_LEAST

    @property
    def is_new(self) -> bool:
        """Whether it was not repeated like this before."""
        return self.before is not None and self.during >= RAISED_AT_LEAST * max(self.before, 0.01)


def before_window(described: Characterisation) -> Window:
    """The half hour before anything was wrong."""
    return Window(described.onset_earliest - WINDOW_SECONDS, described.onset_earliest)


def during_window(described: Characterisation) -> Window:
    """While it is wrong."""
    middle = (described.onset_earliest + described.asked_at) / 2
    since = max(min(described.onset_latest, middle), described.asked_at - WINDOW_SECONDS)
    return Window(since, described.asked_at)


def version_split(hypothesis: Hypothesis, described: Characterisation, telemetry: TelemetryStore) -> Evidence | None:
    """Whether this deploy's version alone is bad at the worst endpoint of its service, in the same minutes if it can be.

    None where no endpoint of the service is a symptom.
    """
    deploy = hypothesis.deploy
    symptoms = [item for item in described.endpoint_symptoms() if deploy and item.service == deploy.service]
    if deploy is None or not symptoms:
        return None
    symptom = symptoms[0]
    before, during = before_window(described), during_window(described)
    earlier = _samples(telemetry, symptom, before)
    later = _samples(telemetry, symptom, during)
    split = _split(deploy, symptom, earlier, later)
    return Evidence(
        check="metric_by_version",
        hypothesis_key=hypothesis.key,
        query=query_text(
            "request_samples",
            service=symptom.service,
            endpoint=symptom.endpoint,
            since=before.since,
            until=during.until,
            limit=_SAMPLES,
        ),
        source="telemetry",
        result=split.words,
        data={"endpoint": symptom.endpoint, "metric": str(symptom.metric), **split.figures},
        outcome=split.outcome,
        weight=split.weight,
    )


@dataclass(frozen=True, slots=True)
class _Split:
    words: str
    weight: float
    outcome: Outcome
    figures: dict[str, float | int | None]


def _split(
    deploy: Deploy, symptom: Symptom, earlier: Sequence[RequestSample], later: Sequence[RequestSample]
) -> _Split:
    """Judge this version and the others by the requests before and during."""
    mine = [sample for sample in later if is_version(sample.version, deploy)]
    mine_earlier = [sample for sample in earlier if is_version(sample.version, deploy)]
    beside = _same_minutes([sample for sample in later if not is_version(sample.version, deploy)], mine)
    others = beside or [sample for sample in earlier if not is_version(sample.version, deploy)]
    value, other_value = _value(symptom.metric, mine), _value(symptom.metric, others)
    earlier_value = _value(symptom.metric, mine_earlier)
    figures = {"this_version": value, "other_versions": other_value, "this_version_before": earlier_value}
    where = f"{symptom.endpoint} under version {quoted(deploy.version, 40)}"

    def said(words: str, weight: float, outcome: Outcome = Outcome.DATA) -> _Split:
        counts = {"requests": len(mine), "requests_of_others": len(others)}
        return _Split(words, weight, outcome, {**figures, **counts})

    if value is None:
        if len(later) >= FEWEST_REQUESTS:
            return said(
                f"Version {quoted(deploy.version, 40)} served none of the {counted(len(later), 'request')} of "
                f"{symptom.endpoint} read while it was bad.",
                weights.VERSION_ABSENT_DURING,
            )
        return said(f"Too few requests of {where} are kept to compare versions.", 0.0, Outcome.NO_DATA)
    shown = _described(symptom.metric, value)
    if not _is_bad(symptom, value):
        return said(f"{where} is fine: {shown}.", weights.VERSION_FINE)
    if earlier_value is not None and not _is_bad(symptom, earlier_value):
        was = _described(symptom.metric, earlier_value)
        return said(f"{where} was fine before ({was}) and is bad now ({shown}).", weights.VERSION_FINE)
    if other_value is None:
        return said(f"{where} is bad ({shown}); no request of another version is kept.", 0.0, Outcome.NO_DATA)
    was = _described(symptom.metric, other_value)
    if _is_bad(symptom, other_value):
        return said(
            f"{where} is bad ({shown}), but so are other versions ({was}).",
            weights.OTHER_VERSIONS_AS_BAD,
        )
    if beside:
        return said(
            f"In the same minutes {where} has {shown}, other versions {was}.",
            weights.ONLY_THIS_VERSION_BAD_IN_THE_SAME_MINUTES,
        )
    return said(f"{where} has {shown}; the version before it had {was}.", weights.ONLY_THIS_VERSION_BAD)


def is_version(version: str | None, deploy: Deploy) -> bool:
    """Whether a span's `service.version` names this deploy: its version, or its commit in short or in full."""
    if not version:
        return False
    same_commit = len(version) >= 7 and (
        deploy.commit_sha.startswith(version) or version.startswith(deploy.commit_sha)
    )
    return version == deploy.version or same_commit


def _same_minutes(others: Sequence[RequestSample], mine: Sequence[RequestSample]) -> list[RequestSample]:
    """The others' requests in minutes that this version served too; none where they are too few to compare."""
    minutes = {int(sample.started_at // 60) for sample in mine}
    beside = [sample for sample in others if int(sample.started_at // 60) in minutes]
    return beside if len(beside) >= FEWEST_REQUESTS else []


def _samples(telemetry: TelemetryStore, symptom: Symptom, window: Window) -> Sequence[RequestSample]:
    return telemetry.request_samples(
        symptom.service or "", symptom.endpoint or "", since=window.since, until=window.until, limit=_SAMPLES
    )


def _value(metric: Metric, samples: Sequence[RequestSample]) -> float | None:
    if len(samples) < FEWEST_REQUESTS:
        return None
    if metric is Metric.QUERY_COUNT:
        return float(np.mean([sample.query_count for sample in samples]))
    return float(np.percentile([sample.duration_ms for sample in samples], 95))


def _is_bad(symptom: Symptom, value: float) -> bool:
    """Nearer to what was observed than to what was expected, on a logarithmic scale."""
    return value > float(np.sqrt(max(symptom.expected, 1e-3) * max(symptom.observed, 1e-3)))


def _described(metric: Metric, value: float) -> str:
    if metric is Metric.QUERY_COUNT:
        return f"{number(value)} queries a request"
    return f"p95 {measure(metric, value)}"


def query_count_change(hypothesis: Hypothesis, described: Characterisation, telemetry: TelemetryStore) -> Evidence:
    """Queries a request of an endpoint, before against during."""
    service, endpoint = hypothesis.service or "", hypothesis.endpoint or ""
    counts: list[float | None] = []
    windows = before_window(described), during_window(described)
    for window in windows:
        samples = telemetry.request_samples(
            service, endpoint, since=window.since, until=window.until, limit=_SAMPLES
        )
        counts.append(_value(Metric.QUERY_COUNT, samples))
    before = counts[0] if counts[0] is not None else _expected_queries(described, endpoint)
    during, weight, outcome = counts[1], 0.0, Outcome.DATA
    if during is None or before is None:
        outcome, result = Outcome.NO_DATA, f"Too few requests of {endpoint} are kept to compare its query counts."
    elif during >= RAISED_AT_LEAST * before and during >= REPEATED_AT_LEAST:
        weight = weights.QUERIES_RAISED
        result = f"{endpoint} runs {number(during)} queries a request instead of {number(before)}."
    else:
        weight = weights.QUERIES_UNCHANGED if during <= UNCHANGED_AT_MOST * max(before, 1.0) else 0.0
        result = f"{endpoint} runs {number(during)} queries a request, before it was {number(before)}."
    return Evidence(
        check="query_count",
        hypothesis_key=hypothesis.key,
        query=query_text(
            "request_samples",
            service=service,
            endpoint=endpoint,
            since=windows[0].since,
            until=windows[1].until,
            limit=_SAMPLES,
        ),
        source="telemetry",
        result=result,
        data={"endpoint": endpoint, "before": before, "during": during},
        outcome=outcome,
        weight=weight,
    )


def _expected_queries(described: Characterisation, endpoint: str) -> float | None:
    """The detector's own baseline, where the requests before are no longer kept one by one."""
    for symptom in described.symptoms:
        if symptom.metric is Metric.QUERY_COUNT and symptom.endpoint == endpoint:
            return symptom.expected
    return None


def repeated_statements(
    hypothesis: Hypothesis, described: Characterisation, telemetry: TelemetryStore
) -> tuple[Evidence, tuple[RepeatedStatement, ...]]:
    """The queries that one request of an endpoint runs again and again, most runs first, and the evidence they are."""
    service, endpoint = hypothesis.service or "", hypothesis.endpoint or ""
    before, during = before_window(described), during_window(described)
    was = _per_request(telemetry, service, endpoint, before)
    now = _per_request(telemetry, service, endpoint, during)
    found = [
        RepeatedStatement(statement, was.get(statement, 0.0) if was else None, per_request)
        for statement, per_request in sorted(now.items(), key=lambda item: -item[1])
    ]
    repeated = tuple(item for item in found if item.is_repeated)
    new = tuple(item for item in repeated if item.is_new or item.before is None)
    result, weight, outcome = _repetition(endpoint, found, repeated, new)
    evidence = Evidence(
        check="repeated_statement",
        hypothesis_key=hypothesis.key,
        query=query_text(
            "statement_counts",
            service=service,
            endpoint=endpoint,
            since=during.since,
            until=during.until,
            limit=_STATEMENTS,
        ),
        source="telemetry",
        result=result,
        data={
            "endpoint": endpoint,
            "statements": [
                {"statement": quoted(item.statement, 500), "before": item.before, "during": item.during}
                for item in (new or repeated or tuple(found))[:3]
            ],
        },
        outcome=outcome,
        weight=weight,
    )
    return evidence, new


def _repetition(
    endpoint: str,
    found: Sequence[RepeatedStatement],
    repeated: Sequence[RepeatedStatement],
    new: Sequence[RepeatedStatement],
) -> tuple[str, float, Outcome]:
    if not found:
        return f"No database statement of {endpoint} is kept for that time.", 0.0, Outcome.NO_DATA
    if not repeated:
        most = number(found[0].during)
        return f"No query runs more than {most} times a request of {endpoint}.", weights.NO_STATEMENT_REPEATED, Outcome.DATA
    if not new:
        top = repeated[0]
        words = f"The query `{quoted(top.statement)}` runs {number(top.during)} times a request of {endpoint}, as before."
        return words, weights.STATEMENT_REPEATED_AS_BEFORE, Outcome.DATA
    top = new[0]
    before = "" if top.before is None else f" (before: {number(top.before)})"
    words = f"The query `{quoted(top.statement)}` runs {number(top.during)} times a request of {endpoint}{before}."
    return words, weights.STATEMENT_REPEATED_NEWLY, Outcome.DATA


def _per_request(telemetry: TelemetryStore, service: str, endpoint: str, window: Window) -> dict[str, float]:
    """Runs a request by normal form: texts that differ in their literals alone are one query."""
    counts: Sequence[StatementCount] = telemetry.statement_counts(
        service, endpoint, since=window.since, until=window.until, limit=_STATEMENTS
    )
    together: dict[str, float] = {}
    for count in counts:
        form = normal_form(count.statement)
        together[form] = together.get(form, 0.0) + count.per_request
    return together


def traffic(described: Characterisation, telemetry: TelemetryStore) -> Evidence | None:
    """Whether more requests came than before: load is a cause from outside. None without an endpoint symptom."""
    symptoms = described.endpoint_symptoms()
    if not symptoms:
        return None
    service, endpoint = symptoms[0].service or "", symptoms[0].endpoint or ""
    before, during = before_window(described), during_window(described)
    rates = [
        sum(int(item.request_count.sum()) for item in _series(telemetry, window, service) if item.endpoint == endpoint)
        / window.minutes
        for window in (before, during)
    ]
    weight, outcome = 0.0, Outcome.DATA
    if min(rates) == 0:
        outcome, result = Outcome.NO_DATA, f"The traffic of {endpoint} before and during is not known."
    elif rates[1] >= TRAFFIC_RISEN_AT * rates[0]:
        weight = weights.TRAFFIC_RISEN
        result = f"Traffic rose: {endpoint} gets {number(rates[1])} requests a minute, before {number(rates[0])}."
    else:
        weight = weights.TRAFFIC_UNCHANGED
        result = f"It is not load: {endpoint} gets {number(rates[1])} requests a minute, before {number(rates[0])}."
    return Evidence(
        check="traffic",
        hypothesis_key=UNKNOWN,
        query=_series_query(before, during),
        source="telemetry",
        result=result,
        data={"endpoint": endpoint, "before_per_minute": rates[0], "during_per_minute": rates[1]},
        outcome=outcome,
        weight=weight,
    )


def other_endpoints(described: Characterisation, telemetry: TelemetryStore) -> Evidence | None:
    """Whether the service's other endpoints slowed down with the bad ones, as they do when its machine is in trouble."""
    symptoms = described.endpoint_symptoms()
    if not symptoms:
        return None
    service, bad = symptoms[0].service or "", {symptom.endpoint for symptom in symptoms}
    before, during = before_window(described), during_window(described)
    was, now = (_p95_by_endpoint(_series(telemetry, window, service)) for window in (before, during))
    ratios = {name: now[name] / was[name] for name in sorted(was.keys() & now.keys() - bad) if was[name] > 0}
    slower = [name for name, ratio in ratios.items() if ratio >= AFFECTED_AT_LEAST]
    weight, outcome = 0.0, Outcome.DATA
    if not ratios:
        outcome, result = Outcome.NO_DATA, f"No other endpoint of {service} had enough requests to compare."
    elif len(slower) > len(ratios) / 2:
        weight = weights.OTHER_ENDPOINTS_AFFECTED
        result = f"{len(slower)} of {counted(len(ratios), 'other endpoint')} of {service} slowed down too."
    else:
        weight = weights.OTHER_ENDPOINTS_UNAFFECTED
        result = f"{len(ratios) - len(slower)} of {counted(len(ratios), 'other endpoint')} of {service} kept their speed."
    return Evidence(
        check="other_endpoints",
        hypothesis_key=UNKNOWN,
        query=_series_query(before, during),
        source="telemetry",
        result=result,
        data={"p95_ratio": dict(ratios)},
        outcome=outcome,
        weight=weight,
    )


def _series(telemetry: TelemetryStore, window: Window, service: str) -> list[EndpointSeries]:
    series = telemetry.endpoint_series(since=window.since, until=window.until, bucket_seconds=FINE_ENDPOINT_SECONDS)
    return [item for item in series if item.service == service]


def _series_query(before: Window, during: Window) -> str:
    return query_text(
        "endpoint_series", since=before.since, until=during.until, bucket_seconds=FINE_ENDPOINT_SECONDS
    )


def _p95_by_endpoint(series: Sequence[EndpointSeries]) -> dict[str, float]:
    """p95 in ms of each endpoint with enough requests, as the upper edge of its histogram bucket."""
    return {
        item.endpoint: _p95(item.duration_histogram.sum(axis=0))
        for item in series
        if int(item.request_count.sum()) >= FEWEST_REQUESTS
    }


def _p95(histogram: Integers) -> float:
    reached = np.cumsum(histogram)
    bucket = int(np.searchsorted(reached, 0.95 * reached[-1]))
    return float(DURATION_EDGES_MS[min(bucket, len(DURATION_EDGES_MS) - 1)])


def symptom_evidence(symptom: Symptom, described: Characterisation) -> Evidence:
    """What the detector saw: nothing of it favours one cause, but every account begins with it."""
    name = quoted(symptom.endpoint or symptom.name, 120)
    segment = f" for {quoted(symptom.dimension)} = {quoted(symptom.value or '')}" if symptom.dimension else ""
    seen, usual = measure(symptom.metric, symptom.observed), measure(symptom.metric, symptom.expected)
    result = {
        Metric.CONVERSION_RATE: f"Conversion of {name}{segment} is {seen} instead of {usual}",
        Metric.LATENCY_P95: f"{name} takes {seen} (p95) instead of {usual}",
        Metric.QUERY_COUNT: f"{name} runs {seen} queries a request instead of {usual}",
    }[symptom.metric]
    share = "" if symptom.metric is not Metric.CONVERSION_RATE else f" ({percent(1 - min(raised_or_fallen(symptom), 1))} less)"
    unit = "entry" if symptom.metric is Metric.CONVERSION_RATE else "request"
    sample = f"{symptom.sample_size:,} {'entries' if unit == 'entry' else 'requests'}"
    return Evidence(
        check="symptom",
        hypothesis_key="incident",
        query=query_text("findings", incident_id=described.incident_id, metric=str(symptom.metric), subject=name),
        source="telemetry",
        result=f"{result}{share}, measured on {sample}.",
        data={
            "metric": str(symptom.metric),
            "observed": symptom.observed,
            "expected": symptom.expected,
            "sample_size": symptom.sample_size,
            "onset_at": symptom.onset_at,
        },
        outcome=Outcome.DATA,
        weight=0.0,
    )


def raised_or_fallen(symptom: Symptom) -> float:
    """Observed over expected, 0 where nothing was expected."""
    return symptom.observed / symptom.expected if symptom.expected > 0 else 0.0

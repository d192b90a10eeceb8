"""Check whether only the deployed version is bad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.types import Deploy, Metric
from integrations.text import Markup, ours
from storage.telemetry.protocol import RequestSample, TelemetryStore
from workers.diagnosis import weights
from workers.diagnosis.checks.windows import (
    FEWEST_REQUESTS,
    Window,
    before_window,
    during_window,
    samples,
    samples_query,
    typical,
)
from workers.diagnosis.model import Characterisation, Evidence, Hypothesis, Outcome, Symptom
from workers.words.text import counted, measure, number, quoted, version_name


@dataclass(frozen=True, slots=True)
class Split:
    """An endpoint's requests by version.

    mine, mine_before: requests of the deploy's version during and before the incident. others: requests of other
    versions to compare with; same_minutes: they are from minutes in which this version served too, so the traffic mix
    is the same. served_during: how many requests of all versions were read from during the incident.
    """

    symptom: Symptom
    mine: Sequence[RequestSample]
    mine_before: Sequence[RequestSample]
    others: Sequence[RequestSample]
    same_minutes: bool
    served_during: int

    def is_bad(self, value: float) -> bool:
        """Whether a value is nearer to the observed than to the expected value; on a log scale, except error rates."""
        if self.symptom.metric is Metric.ERROR_RATE:
            return value > (self.symptom.expected + self.symptom.observed) / 2
        return value > float(np.sqrt(max(self.symptom.expected, 1e-3) * max(self.symptom.observed, 1e-3)))


def version_split(hypothesis: Hypothesis, described: Characterisation, telemetry: TelemetryStore) -> Evidence | None:
    """Check whether only this deploy's version is bad, at the worst endpoint of its service.

    None if no endpoint of the service is a symptom. Traffic does not count: requests that do not come have no version.
    """
    deploy = hypothesis.deploy
    symptoms = [
        item
        for item in described.endpoint_symptoms()
        if deploy and item.service == deploy.service and item.metric is not Metric.REQUEST_RATE
    ]
    if deploy is None or not symptoms:
        return None
    symptom = symptoms[0]
    service, endpoint = symptom.service or "", symptom.endpoint or ""
    # If the deploy came after the earliest onset, read up to the deploy: requests are separated by version anyway.
    before = Window(before_window(described).since, max(described.onset_earliest, deploy.deployed_at))
    during = during_window(described)
    earlier, later = (samples(telemetry, service, endpoint, window) for window in (before, during))
    split = split_by_version(deploy, symptom, earlier, later)
    words, weight, outcome = judge(split, deploy)
    return Evidence(
        check="metric_by_version",
        hypothesis_key=hypothesis.key,
        query=samples_query(service, endpoint, before, during),
        source="telemetry",
        result=words,
        data={
            "endpoint": endpoint,
            "metric": str(symptom.metric),
            "version": deploy.version,
            "this_version": typical(symptom.metric, split.mine),
            "this_version_before": typical(symptom.metric, split.mine_before),
            "other_versions": typical(symptom.metric, split.others),
            "requests": len(split.mine),
            "requests_of_others": len(split.others),
            "same_minutes": split.same_minutes,
        },
        outcome=outcome,
        weight=weight,
    )


def split_by_version(
    deploy: Deploy, symptom: Symptom, earlier: Sequence[RequestSample], later: Sequence[RequestSample]
) -> Split:
    """Group requests from before and during the incident by whether this deploy's version served them."""
    mine = [request for request in later if is_version(request.version, deploy)]
    minutes = {int(request.started_at // 60) for request in mine}
    beside = [
        request
        for request in later
        if not is_version(request.version, deploy) and int(request.started_at // 60) in minutes
    ]
    same_minutes = len(beside) >= FEWEST_REQUESTS
    return Split(
        symptom=symptom,
        mine=mine,
        mine_before=[
            request
            for request in earlier
            if is_version(request.version, deploy) and request.started_at < symptom.onset_at
        ],
        others=beside if same_minutes else [item for item in earlier if not is_version(item.version, deploy)],
        same_minutes=same_minutes,
        served_during=len(later),
    )


def judge(split: Split, deploy: Deploy) -> tuple[Markup, float, Outcome]:
    """Return the result as text, its weight, and whether there was enough data."""
    metric, name = split.symptom.metric, ours("Version {version}", version=version_name(deploy))
    where = ours("{name} of {endpoint}", name=name, endpoint=quoted(split.symptom.endpoint or "", 120))
    value = typical(metric, split.mine)
    if value is None and split.served_during >= FEWEST_REQUESTS and not split.mine:
        served = counted(split.served_during, "request")
        return (
            ours("{name} served none of the {served} read while it was bad.", name=name, served=served),
            weights.VERSION_ABSENT_DURING,
            Outcome.DATA,
        )
    if value is None:
        return ours("Too few requests of {where} are kept to compare versions.", where=where), 0.0, Outcome.NO_DATA
    seen = _with_unit(metric, value)
    if not split.is_bad(value):
        return ours("{where} is fine: {seen}.", where=where, seen=seen), weights.VERSION_FINE, Outcome.DATA
    before = typical(metric, split.mine_before)
    if before is not None and not split.is_bad(before):
        was = _with_unit(metric, before)
        return (
            ours("{where} was fine at first ({was}) and is bad now ({seen}).", where=where, was=was, seen=seen),
            weights.VERSION_FINE,
            Outcome.DATA,
        )
    other = typical(metric, split.others)
    if other is None:
        return (
            ours("{where} is bad ({seen}); no request of another version is kept.", where=where, seen=seen),
            0.0,
            Outcome.NO_DATA,
        )
    was = _with_unit(metric, other)
    if split.is_bad(other):
        return (
            ours("{where} is bad ({seen}), but other versions are too ({was}).", where=where, seen=seen, was=was),
            weights.OTHER_VERSIONS_AS_BAD,
            Outcome.DATA,
        )
    if split.same_minutes:
        words = ours("In the same minutes {where} shows {seen}, other versions {was}.", where=where, seen=seen, was=was)
        return words, weights.ONLY_THIS_VERSION_BAD_IN_THE_SAME_MINUTES, Outcome.DATA
    return (
        ours("{where} shows {seen}; the version before it had {was}.", where=where, seen=seen, was=was),
        weights.ONLY_THIS_VERSION_BAD,
        Outcome.DATA,
    )


def is_version(version: str | None, deploy: Deploy) -> bool:
    """Whether a `service.version` names this deploy: its version, or its commit, short or full."""
    if not version:
        return False
    same_commit = len(version) >= 7 and (deploy.commit_sha.startswith(version) or version.startswith(deploy.commit_sha))
    return version == deploy.version or same_commit


def _with_unit(metric: Metric, value: float) -> str:
    match metric:
        case Metric.QUERY_COUNT:
            return f"{number(value)} queries a request"
        case Metric.ERROR_RATE:
            return f"{measure(metric, value)} of requests failing"
        case _:
            return f"p95 {measure(metric, value)}"

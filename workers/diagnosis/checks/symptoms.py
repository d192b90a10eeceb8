"""The detectors' own figures as the first evidence; and check whether one segment carries a funnel's drop."""

from __future__ import annotations

from detection.funnels.segment_shares import SegmentAnswer, Window, segment_contributions
from detection.types import Metric
from integrations.cards import NOTHING
from integrations.text import Markup, ours, theirs
from storage.telemetry.protocol import COARSE_SECONDS, FINE_FUNNEL_SECONDS, TelemetryStore
from workers.diagnosis import weights
from workers.diagnosis.model import INCIDENT, Characterisation, Evidence, Hypothesis, Outcome, Symptom
from workers.words.text import in_quotes, measure, percent, query_text, quoted

BASELINE_SECONDS = 7 * 24 * 3600.0

NEXT_TO_NONE = 0.05
"""Expected rates below this (log records per minute) are written as "next to none"."""


def symptom_evidence(symptom: Symptom, described: Characterisation) -> Evidence:
    """Return the detector's figures as evidence that supports no cause."""
    name = quoted(symptom.endpoint or symptom.name, 120)
    result = _in_words(symptom, name)
    units = {Metric.CONVERSION_RATE: "entries", Metric.LOG_RATE: "lines", Metric.CUSTOM: "measurements"}
    counted = NOTHING
    if symptom.metric is not Metric.ALERT:
        unit = units.get(symptom.metric, "requests")
        counted = ours(" ({count} {unit})", count=f"{symptom.sample_size:,}", unit=unit)
    return Evidence(
        check="symptom",
        hypothesis_key=INCIDENT,
        query=query_text("findings", incident_id=described.incident_id, metric=str(symptom.metric), subject=name),
        source="telemetry",
        result=ours("{result}{counted}.", result=result, counted=counted),
        data={
            "metric": str(symptom.metric),
            "subject": name,
            "service": symptom.service,
            "in_words": result,
            "observed": symptom.observed,
            "expected": symptom.expected,
            "sample_size": symptom.sample_size,
            "onset_at": symptom.onset_at,
        },
        outcome=Outcome.DATA,
        weight=0.0,
    )


def _in_words(symptom: Symptom, name: str) -> Markup:
    """Return the observed and the expected value as a sentence without a full stop."""
    if symptom.words is not None and symptom.metric is Metric.ALERT:
        # An alert's text is its sender's; a metric's sentence is ours.
        return theirs(in_quotes(symptom.words.removesuffix("."), 240))
    if symptom.words is not None:
        return theirs(quoted(symptom.words, 240).removesuffix("."))
    seen, usual = measure(symptom.metric, symptom.observed), measure(symptom.metric, symptom.expected)
    match symptom.metric:
        case Metric.CONVERSION_RATE:
            segment = (
                ours(
                    " for {dimension} = {value}",
                    dimension=quoted(symptom.dimension, 60),
                    value=quoted(symptom.value or "", 60),
                )
                if symptom.dimension
                else ""
            )
            step = ours(", lost at step “{step}”", step=quoted(symptom.step, 60)) if symptom.step else ""
            return ours(
                "Conversion of {name}{segment} is {seen} instead of {usual}{step}",
                name=name,
                segment=segment,
                seen=seen,
                usual=usual,
                step=step,
            )
        case Metric.LATENCY_P95:
            return ours("{name} takes {seen} (p95) instead of {usual}", name=name, seen=seen, usual=usual)
        case Metric.QUERY_COUNT:
            return ours("{name} runs {seen} queries a request instead of {usual}", name=name, seen=seen, usual=usual)
        case Metric.ERROR_RATE:
            return ours("{name} fails for {seen} of requests instead of {usual}", name=name, seen=seen, usual=usual)
        case Metric.REQUEST_RATE:
            return ours("{name} gets {seen} instead of {usual}", name=name, seen=seen, usual=usual)
        case Metric.LOG_RATE:
            return ours(
                "{name} comes at {seen}, normally {usual}",
                name=name,
                seen=seen,
                usual=usual if symptom.expected >= NEXT_TO_NONE else "next to none",
            )
        case _:
            return ours("{name} is {seen} instead of {usual}", name=name, seen=seen, usual=usual)


def segment_concentration(
    hypothesis: Hypothesis, described: Characterisation, telemetry: TelemetryStore
) -> Evidence | None:
    """Check whether the hypothesis's segment carries the drop; if it names none, whether any does.

    None without a funnel symptom.
    """
    symptom = next((item for item in described.funnel_symptoms() if item.funnel_id == hypothesis.funnel_id), None)
    if symptom is None or symptom.funnel_id is None:
        return None
    recent, past = symptom_windows(symptom, described)
    answer = segment_contributions(
        telemetry.funnel_series(
            symptom.funnel_id, since=recent.since, until=recent.until, bucket_seconds=FINE_FUNNEL_SECONDS
        ),
        telemetry.funnel_series(symptom.funnel_id, since=past.since, until=past.until, bucket_seconds=COARSE_SECONDS),
        recent_window=recent,
        baseline_window=past,
        horizon_seconds=symptom.horizon_seconds,
    )
    result, weight, outcome = _judge(hypothesis, symptom, answer)
    return Evidence(
        check="segments",
        hypothesis_key=hypothesis.key,
        query=query_text("funnel_series", funnel_id=symptom.funnel_id, since=past.since, until=recent.until),
        source="telemetry",
        result=result,
        data={
            "everywhere_alike": answer.everywhere_alike,
            "contributions": [
                {
                    "dimension": item.dimension,
                    "value": quoted(item.value, 60),
                    "recent_rate": item.recent_rate,
                    "baseline_rate": item.baseline_rate,
                    "share_of_drop": item.share_of_drop,
                    "stands_out": item.stands_out,
                }
                for item in answer.contributions[:10]
            ],
        },
        outcome=outcome,
        weight=weight,
    )


def symptom_windows(symptom: Symptom, described: Characterisation) -> tuple[Window, Window]:
    """Return the window since the onset whose entries have had time to convert, and the week before it."""
    until = max(symptom.window_end, described.asked_at - symptom.horizon_seconds)
    since = min(symptom.onset_at, until - FINE_FUNNEL_SECONDS)
    return Window(since, until), Window(since - BASELINE_SECONDS, since)


def _judge(hypothesis: Hypothesis, symptom: Symptom, answer: SegmentAnswer) -> tuple[Markup, float, Outcome]:
    name = quoted(symptom.name, 120)
    if not answer.contributions:
        return ours("{name} has too few entries by segment to compare.", name=name), 0.0, Outcome.NO_DATA
    if answer.total_change >= 0:
        return (
            ours("{name} shows no drop in the entries that have had time to convert.", name=name),
            0.0,
            Outcome.NO_DATA,
        )
    standing_out = {(item.dimension, item.value): item for item in answer.standing_out}
    if hypothesis.dimension is None:
        if standing_out:
            return ours("Some segments of {name} fare worse than others.", name=name), 0.0, Outcome.DATA
        return ours("{name} fell in all segments alike.", name=name), weights.SEGMENTS_ALL_ALIKE, Outcome.DATA
    segment = ours(
        "{dimension} = {value}",
        dimension=quoted(hypothesis.dimension, 60),
        value=quoted(hypothesis.value or "", 60),
    )
    found = standing_out.get((hypothesis.dimension, hypothesis.value or ""))
    if found is None:
        return (
            ours("{name} fell no more for {segment} than for others.", name=name, segment=segment),
            weights.SEGMENTS_ALL_ALIKE,
            Outcome.DATA,
        )
    words = ours(
        "{segment} converts {recent_rate} instead of {usual_rate} and carries {share} of the drop of {name}.",
        segment=segment,
        recent_rate=percent(found.recent_rate),
        usual_rate=percent(found.baseline_rate),
        share=percent(min(max(found.share_of_drop, 0.0), 1.0)),
        name=name,
    )
    return words, weights.SEGMENT_CARRIES_THE_DROP, Outcome.DATA

"""Check whether one kind of user carries a funnel's drop, or the mix of users changed: scan the funnel cells again."""

from __future__ import annotations

from detection.types import Attribution, Place, Where, WhereVerdict
from integrations.text import Markup, ours, theirs
from storage.finding_details import attribution_to_json
from storage.telemetry.protocol import COARSE_SECONDS, TelemetryStore
from workers.diagnosis import weights
from workers.diagnosis.checks.symptoms import segment_concentration, symptom_windows
from workers.diagnosis.model import Characterisation, Evidence, Hypothesis, Outcome, Symptom
from workers.watching.attribution_query import AttributionQuery, locate_loss
from workers.words.attribution import attribution_sentences, place_formula, place_sentence
from workers.words.text import deploy_name, query_text, quoted


def place_evidence(hypothesis: Hypothesis, described: Characterisation, telemetry: TelemetryStore) -> Evidence | None:
    """Check whether the hypothesis's place carries the drop; if it names none, whether any place does.

    None without a funnel symptom. If the funnel has no cells yet, check single segments instead.
    """
    symptom = _symptom(hypothesis, described)
    answer = _attribution(symptom, described, telemetry) if symptom else None
    if symptom is None or answer is None or not answer.dimensions:
        return segment_concentration(hypothesis, described, telemetry)
    result, weight, outcome = _judge(hypothesis.where, quoted(symptom.name, 120), answer)
    return _evidence("segments", hypothesis.key, symptom, answer, described, result, weight, outcome)


def mix_evidence(hypothesis: Hypothesis, described: Characterisation, telemetry: TelemetryStore) -> Evidence | None:
    """Check whether a changed mix of users explains the drop; None without a funnel symptom or without enough cells."""
    symptom = _symptom(hypothesis, described)
    answer = _attribution(symptom, described, telemetry) if symptom else None
    if symptom is None or answer is None:
        return None
    is_mix = answer.verdict is WhereVerdict.MIX and not answer.places
    weight = weights.MIX_EXPLAINS_THE_DROP if is_mix else weights.MIX_DOES_NOT
    result = theirs(" ".join(attribution_sentences(answer)))
    return _evidence("mix", hypothesis.key, symptom, answer, described, result, weight, Outcome.DATA)


def rates_unchanged(deploy: Hypothesis, mix: Evidence | None) -> Evidence | None:
    """Return evidence against a deploy if the mix of users explains the drop: no kind of user converts worse."""
    if mix is None or mix.weight <= 0 or deploy.deploy is None:
        return None
    return Evidence(
        check="rates_unchanged",
        hypothesis_key=deploy.key,
        query=mix.query,
        source=mix.source,
        result=ours(
            "Each kind of user converts as before, so {deploy} broke nothing for them.",
            deploy=deploy_name(deploy.deploy),
        ),
        data=mix.data,
        outcome=Outcome.DATA,
        weight=weights.EVERY_KIND_CONVERTS_AS_BEFORE,
    )


def _symptom(hypothesis: Hypothesis, described: Characterisation) -> Symptom | None:
    return next((item for item in described.funnel_symptoms() if item.funnel_id == hypothesis.funnel_id), None)


def _attribution(symptom: Symptom, described: Characterisation, telemetry: TelemetryStore) -> Attribution | None:
    assert symptom.funnel_id is not None
    recent, past = symptom_windows(symptom, described)
    segment = (symptom.dimension, symptom.value) if symptom.dimension and symptom.value is not None else None
    query = AttributionQuery(
        funnel_id=symptom.funnel_id,
        since=recent.since,
        until=recent.until,
        past_since=past.since,
        horizon_seconds=symptom.horizon_seconds,
        within=segment,
        expected=symptom.expected,
    )
    return locate_loss(telemetry, query, now=described.asked_at)


def _judge(wanted: Where, name: str, answer: Attribution) -> tuple[Markup, float, Outcome]:
    if answer.observed >= answer.expected:
        return (
            ours("{name} shows no drop in the entries that have had time to convert.", name=name),
            0.0,
            Outcome.NO_DATA,
        )
    if answer.verdict is WhereVerdict.UNCLEAR:
        return ours("{name}: {answer}", name=name, answer=" ".join(attribution_sentences(answer))), 0.0, Outcome.NO_DATA
    if answer.verdict is WhereVerdict.EVERYWHERE:
        return ours("{name} fell in all segments alike.", name=name), weights.SEGMENTS_ALL_ALIKE, Outcome.DATA
    if not wanted:
        weight = 0.0 if answer.places else weights.SEGMENTS_ALL_ALIKE
        return ours("{name}: {answer}", name=name, answer=" ".join(attribution_sentences(answer))), weight, Outcome.DATA
    found = next((place for place in answer.places if _is_about(place, wanted)), None)
    if found is None:
        text = ours("{name} fell no more for {wanted} than for others.", name=name, wanted=place_formula(wanted))
        return text, weights.SEGMENTS_ALL_ALIKE, Outcome.DATA
    return (
        ours("Of {name}, {found}", name=name, found=place_sentence(found)),
        weights.SEGMENT_CARRIES_THE_DROP,
        Outcome.DATA,
    )


def _is_about(place: Place, wanted: Where) -> bool:
    """Whether the places are equal or one contains the other: with more entries the scan may name a narrower one."""
    return set(place.where) <= set(wanted) or set(wanted) <= set(place.where)


def _evidence(
    check: str,
    key: str,
    symptom: Symptom,
    answer: Attribution,
    described: Characterisation,
    result: Markup,
    weight: float,
    outcome: Outcome,
) -> Evidence:
    recent, past = symptom_windows(symptom, described)
    query = query_text(
        "funnel_cells",
        funnel_id=symptom.funnel_id,
        since=past.since,
        until=recent.until,
        bucket_seconds=COARSE_SECONDS,
    )
    return Evidence(check, key, query, "telemetry", result, attribution_to_json(answer), outcome, weight)

"""The judgement: evidence summed, then what is owned and what is another's symptom, then one line that says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from detection.triage.alike import passes_on, reachable, troubles
from detection.triage.owned import hurts_others, is_about, owning
from detection.triage.plain import span
from detection.triage.signs import Seen, seen, signs
from detection.triage.weights import START
from detection.triage.words import Context, Decision, Firing, Judgement, OpenIncident, Weight

_FLAPPING = 3


def triage(firings: Sequence[Firing], context: Context, now: float) -> tuple[Judgement, ...]:
    """Return a judgement for each firing, in their order. now: seconds UTC; what is later is not looked at.

    In doubt people are told. Of firings that are one trouble exactly one wakes: the one closest to the cause.
    """
    known = [seen(_own_samples(one, firings, now), context) for one in firings]
    judged = {one.firing.firing_id: _alone(one, context, now) for one in known}
    serious: list[Seen] = []
    owned: list[tuple[Seen, OpenIncident]] = []
    for one in known:
        judgement = judged[one.firing.firing_id]
        incident = owning(one, context.incidents, now)
        if incident is not None:
            owned.append((one, incident))
            judged[one.firing.firing_id] = _taken(judgement, incident)
        elif judgement.decision is Decision.WAKE:
            serious.append(one)
    for root, others in troubles(serious, context):
        incident = _passed_on(root, owned, context)
        if incident is not None:
            for one in (root, *others):
                judged[one.firing.firing_id] = _taken(judged[one.firing.firing_id], incident)
            continue
        for one in others:
            text = f"it is part of {_name(root.firing)}, which began {_when(root.firing, one.firing)}"
            judged[one.firing.firing_id] = _joined(judged[one.firing.firing_id], root.firing.firing_id, "symptom", text)
    return tuple(judged[one.firing_id] for one in firings)


def _taken(judgement: Judgement, incident: OpenIncident) -> Judgement:
    text = f"{incident.owner or 'somebody'} is on it: {incident.incident_id}"
    return _joined(judgement, incident.incident_id, "owned", text)


def _passed_on(root: Seen, owned: Sequence[tuple[Seen, OpenIncident]], context: Context) -> OpenIncident | None:
    """Return the incident whose trouble a firing of another service only passes on, if those on it know of such."""
    callees = reachable(context)
    for cause, incident in owned:
        goes_on = not cause.heals and not is_about(incident, root.firing)
        if goes_on and passes_on(root.firing, cause.firing, callees) and not hurts_others(root, incident):
            return incident
    return None


def _alone(one: Seen, context: Context, now: float) -> Judgement:
    """Judge a firing by its own signs."""
    weights = signs(one, context, now)
    total = START + sum(each.log_odds for each in weights)
    said = context.past.get(one.firing.fingerprint)
    if said is not None and said.should_have_woken > said.false_alarms:
        total = max(total, 0.0)
    wakes = total >= 0.0
    decision = Decision.WAKE if wakes else _waiting(one)
    rule, reason = _why(weights, wakes)
    return Judgement(one.firing.firing_id, decision, rule, reason, None, round(total, 3), weights)


def _waiting(one: Seen) -> Decision:
    """What is over is recorded; what goes on, and what comes back again and again, is listed in the digest."""
    is_flapping = one.firing.fired_last_hour >= _FLAPPING
    return Decision.RECORD if one.heals and not is_flapping else Decision.DIGEST


def _why(weights: Sequence[Weight], wakes: bool) -> tuple[str, str]:
    """Return the code and the words of the evidence that speaks most for the decision."""
    speaking = sorted(
        (one for one in weights if (one.log_odds > 0) == wakes and one.log_odds), key=lambda one: -abs(one.log_odds)
    )
    if not speaking:
        return "nothing_known", "Nothing speaks against waking somebody."
    parts = [one.text for one in speaking[:2]]
    sentence = "; ".join(parts)
    return speaking[0].code, f"{sentence[0].upper()}{sentence[1:]}."


def _joined(judgement: Judgement, to: str, rule: str, text: str) -> Judgement:
    reason = f"{text[0].upper()}{text[1:]}."
    return replace(judgement, decision=Decision.RECORD, rule=rule, reason=reason, joins=to)


def _name(firing: Firing) -> str:
    return f"{firing.metric} of {firing.service}" if firing.service else firing.metric


def _when(root: Firing, other: Firing) -> str:
    gap = other.fired_at - root.fired_at
    if abs(gap) < 1.0:
        return "at the same time"
    return f"{span(abs(gap))} {'earlier' if gap > 0 else 'later'}"


def _own_samples(firing: Firing, firings: Sequence[Firing], now: float) -> Firing:
    """Return the firing with its own samples only: up to now, and up to where the next firing of the metric begins.

    That next firing begins after the last sample before it that was not over the threshold.
    """
    keep = firing.times <= now
    later = [
        one.fired_at
        for one in firings
        if one.service == firing.service and one.metric == firing.metric and one.fired_at > firing.fired_at
    ]
    if later and firing.threshold is not None:
        sign = 1.0 if firing.value is None or firing.value >= firing.threshold else -1.0
        between = (firing.times > firing.fired_at) & (firing.times < min(later))
        fine = between & (firing.values * sign < firing.threshold * sign)
        if fine.any():
            keep &= firing.times <= firing.times[fine].max()
        elif between.any() and (firing.values[keep] * sign)[-1] >= firing.threshold * sign:
            best = np.argmin(np.where(between, firing.values * sign, np.inf))
            keep &= firing.times <= firing.times[best]
        elif firing.ended_at is not None and firing.ended_at < min(later):
            # A monitor does not say again what has not ended: what comes after is of the next time.
            keep &= firing.times <= firing.ended_at
    return replace(firing, times=np.asarray(firing.times[keep]), values=np.asarray(firing.values[keep]))

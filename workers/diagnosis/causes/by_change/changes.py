"""Hold each change against what is seen: what its text can do, where, and the course of the metrics since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from detection.types import Commit, JsonValue
from integrations.cards import moment
from integrations.text import Markup, listed, ours, theirs
from workers.diagnosis import weights
from workers.diagnosis.causes.alike import fail_alike
from workers.diagnosis.causes.by_change.fit import Fit, calls_rose_later, fit
from workers.diagnosis.causes.by_change.said_reasons import said_reason, said_refusal
from workers.diagnosis.causes.by_change.trajectory import (
    SLACK_SECONDS,
    began_before_the_samples,
    has_course,
    trajectory,
)
from workers.diagnosis.causes.candidates import configured_by, has_diff, services_of
from workers.diagnosis.causes.suspicion import evidence
from workers.diagnosis.changes import ChangeReading, EffectKind, is_shared, read_change
from workers.diagnosis.changes.hunks import hunk_of
from workers.diagnosis.changes.reverts import taken_back
from workers.diagnosis.model import Evidence
from workers.diagnosis.scene.model import Observed
from workers.words.text import in_quotes, quoted, quoted_code, short_sha

DEPLOYED_TOGETHER_SECONDS = 1800.0
"""Deploys of several services within this time may bring the same code to all of them."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One commit of a change, read and held against what is seen. weight: of its text alone."""

    commit: Commit
    reading: ChangeReading
    fit: Fit
    weight: float


def judge_commits(commits: Sequence[Commit], service: str, observed: Observed) -> tuple[Judged, ...]:
    """Return each commit of a change that is live in `service` with what its text explains."""
    return tuple(_judge(commit, service, observed) for commit in commits)


def _judge(commit: Commit, service: str, observed: Observed) -> Judged:
    reading = read_change(commit)
    services = services_of(commit, observed.parts) | configured_by(commit, service, observed)
    # Code that several services share is live in the one that was deployed with it.
    live = {service} | (services if not is_shared(reading.paths) else set())
    found = fit(reading, live, observed)
    weight = _weight(reading, found)
    if not reading.was_read and commit.files and _are_read(observed):
        weight = weights.CHANGE_FITS_NOTHING + weights.CHANGE_UNREAD_AMONG_READ * (weight - weights.CHANGE_FITS_NOTHING)
    if taken_back(commit, observed.scene.commits) is not None:
        weight = min(weight, weights.CHANGE_TAKES_ANOTHER_BACK)
    return Judged(commit, reading, found, weight)


def _weight(reading: ChangeReading, found: Fit) -> float:
    if reading.is_inert:
        return weights.CHANGE_INERT if reading.was_read else weights.CHANGE_PROBABLY_INERT
    nothing = weights.CHANGE_FITS_NOTHING if reading.was_read else weights.CHANGE_UNREAD_FITS_NOTHING
    return nothing + found.score * (weights.CHANGE_FITS - nothing)


def _are_read(observed: Observed) -> bool:
    """Whether the diffs of commits are known: then a title without one is no measure, it only claims something."""
    return any(has_diff(commit) for commit in observed.scene.commits)


def check_change(
    key: str, name: Markup, judged: Sequence[Judged], services: Iterable[str], live_at: float, observed: Observed
) -> list[Evidence]:
    """Return the evidence about a change: its text, its place and its time. name: of the change, in sentences."""
    best = max(judged, key=lambda item: item.weight, default=None)
    live_in = frozenset(services)
    if best is not None:
        live_in |= {named for service in live_in for named in configured_by(best.commit, service, observed)}
    found = [_place(key, live_in, best, observed)]
    if best is not None:
        found.append(_text(key, name, best, len(judged)))
    found.append(_time(key, name, live_at, best.fit if best is not None else Fit(0.0), live_in, observed))
    found.append(_others_alike(key, live_in, live_at, observed))
    found.append(_another_reason(key, live_in, best, observed))
    believed = _plausibility(best)
    return [_believed(item, believed) for item in found if item is not None]


def _plausibility(best: Judged | None) -> float:
    """Return how far place and time may speak for a change, from what its text can do: 0.1 for nothing, 1 for enough.

    A change that can do nothing of this kind is not made a cause by where and when it went live.
    """
    weight = weights.CHANGE_UNREAD_FITS_NOTHING if best is None else best.weight
    return min(max((weight - weights.CHANGE_FITS_NOTHING) / 1.5, 0.1), 1.0)


def _believed(item: Evidence, share: float) -> Evidence:
    """Return evidence of place or time, if it speaks for the change, with as much weight as its text allows."""
    if item.check == "change_text" or item.weight <= 0:
        return item
    return replace(item, weight=item.weight * share)


def _text(key: str, name: Markup, best: Judged, count: int) -> Evidence:
    sha, title = short_sha(best.commit.sha), in_quotes(best.commit.message.strip().partition("\n")[0], 80)
    result = _said(ours("Commit {sha} {title}", sha=sha, title=title) if sha else name, best, count)
    effect = best.fit.effect
    data = {
        "commit_sha": best.commit.sha,
        "fit": round(best.fit.score, 3),
        "effect": str(effect.kind) if effect is not None else None,
        "path": quoted(effect.path, 200) if effect is not None else None,
        "explains": str(best.fit.sign.kind) if best.fit.sign is not None else None,
        "was_read": best.reading.was_read,
        **_where(best),
    }
    return evidence("change_text", key, result, best.weight, source="commits", data=data)


def _where(best: Judged) -> dict[str, JsonValue]:
    """Return the guilty line, its number in the new file, and how many hunks the commit has, if the diff says."""
    effect = best.fit.effect
    hunk = hunk_of(best.commit.files, effect.path, effect.line) if effect is not None else None
    if effect is None or hunk is None:
        return {}
    return {"line": quoted(effect.line.strip(), 100), "line_number": hunk.number, "hunks": hunk.hunks}


_HARDLY = 0.25
"""How strong code that computes something else is at most, where no rule knows what it can do."""


def _said(commit: Markup, best: Judged, count: int) -> Markup:
    effect, sign = best.fit.effect, best.fit.sign
    if best.reading.is_inert:
        return ours("{commit} explains none of it: {why}.", commit=commit, why=best.reading.inert_because)
    if effect is None or sign is None:
        of_these = ours(" and none of the {count} commits with it", count=count - 1) if count > 1 else ours("")
        read = (
            "does nothing that would show so"
            if best.reading.was_read
            else "could not be read, and its title says no more"
        )
        return ours("{commit}{of_these} {read}.", commit=commit, of_these=of_these, read=read)
    line = quoted_code(effect.line.strip() or effect.name, 120)
    place = ours(" in {path}", path=quoted(effect.path, 100)) if effect.path else ours("")
    kind, part = sign.kind.in_words, quoted(sign.part, 60)
    if effect.kind is EffectKind.LOGIC and effect.strength <= _HARDLY:
        said = ours(
            "{commit} changes {line}{place}: nothing that is known to cause {kind}.",
            commit=commit,
            line=line,
            place=place,
            kind=kind,
        )
    else:
        said = ours(
            "{commit} could do this: {line}{place} can cause {kind} in {part}.",
            commit=commit,
            line=line,
            place=place,
            kind=kind,
            part=part,
        )
    return said


def _place(key: str, services: frozenset[str], best: Judged | None, observed: Observed) -> Evidence | None:
    """Weigh where a change went live: where it all began, in what is only dragged along, or elsewhere."""
    if not observed.signs:
        return None
    origin, chain = observed.chain.origin, observed.chain
    names = quoted(", ".join(sorted(services)), 80)
    holds = services & observed.holders()
    explained = best.fit.sign.part if best is not None and best.fit.sign is not None else None
    if origin is not None and (origin in services or holds):
        where = "is where it began" if origin in services else "uses what ran out where it began"
        result = ours("{names} {where}.", names=names, where=where)
        weight = weights.CHANGE_WHERE_IT_BEGAN if origin in services else weights.CHANGE_IN_A_HOLDER
        return evidence("change_place", key, result, weight * chain.confidence, source="chain")
    if origin is not None and origin == explained:
        result = (
            ours("It began in {origin}, which uses {names}.", origin=quoted(origin, 60), names=names)
            if any(origin in observed.callers(service) for service in services)
            else ours("It began in {origin}, which {names} uses.", origin=quoted(origin, 60), names=names)
        )
        return evidence("change_place", key, result, weights.CHANGE_WHERE_IT_BEGAN * chain.confidence, source="chain")
    if origin is not None and _reaches(best, services, origin, observed):
        # Who uses a store up is among those that it then fails: that it failed later does not clear it.
        result = ours("It began in {origin}, which {names} uses.", origin=quoted(origin, 60), names=names)
        return evidence("change_place", key, result, 0.0, source="chain")
    if services & set(chain.victims):
        result = ours("{names} failed only after {origin} had.", names=names, origin=quoted(origin or "", 60))
        return evidence("change_place", key, result, weights.CHANGE_IN_A_VICTIM * chain.confidence, source="chain")
    if origin is not None and _all_failed_later(services, origin, observed):
        result = ours("{names} failed later than {origin}.", names=names, origin=quoted(origin, 60))
        weight = weights.CHANGE_IN_ONE_THAT_FAILED_LATER * chain.confidence
        return evidence("change_place", key, result, weight, source="chain")
    if any(observed.is_concerned(service) for service in services):
        return None
    result = ours("{names} shows none of it, and nothing of it depends on {names}.", names=names)
    return evidence("change_place", key, result, weights.CHANGE_ELSEWHERE, source="chain")


def _all_failed_later(services: frozenset[str], origin: str, observed: Observed) -> bool:
    """Whether these show trouble, and none of them before it had begun where it all began."""
    began = min((sign.latest for sign in observed.signs_of(origin)), default=None)
    own = [sign for service in services for sign in observed.signs_of(service)]
    return began is not None and bool(own) and all(sign.earliest > began + SLACK_SECONDS for sign in own)


def _reaches(best: Judged | None, services: frozenset[str], origin: str, observed: Observed) -> bool:
    """Whether what a change does is felt in what its services use, and it all began in one of these."""
    effect = best.fit.effect if best is not None else None
    uses = {callee for service in services for callee in observed.callees(service)}
    if effect is None or not effect.causes_in_callees or origin not in uses:
        return False
    return not calls_rose_later(effect, origin, services, observed)


def _others_alike(key: str, services: frozenset[str], live_at: float, observed: Observed) -> Evidence | None:
    """Weigh parts that fail in the same way at the same time, and that the change is not live in and cannot reach."""
    origin = observed.chain.origin
    if origin is None or origin not in services:
        return None
    alike = {part for parts in fail_alike(origin, observed).values() for part in parts} - services
    # The same library may have gone live in several services.
    theirs_too = {
        deploy.service
        for deploy in observed.scene.deploys
        if abs(deploy.deployed_at - live_at) <= DEPLOYED_TOGETHER_SECONDS
    }
    without = sorted(alike - theirs_too)
    if not without:
        return None
    result = ours(
        "{parts} began to fail in the same way at the same time, and this change is not live there.",
        parts=listed([theirs(quoted(part, 40)) for part in without[:5]]),
    )
    weight = weights.OTHERS_FAIL_ALIKE if len(without) > 1 else weights.ANOTHER_FAILS_ALIKE
    return evidence("others_alike", key, result, weight, source="alike", data={"parts": without[:20]})


def _another_reason(key: str, services: frozenset[str], best: Judged | None, observed: Observed) -> Evidence | None:
    """Weigh that the failing part itself gives a reason, which this change cannot bring about."""
    effect, origin = best.fit.effect if best is not None else None, observed.chain.origin
    reasons = {part: said_refusal(part, effect, observed) for part in sorted(services)}
    if origin in services:
        reasons[origin] = said_reason(origin, effect, observed) or reasons[origin]
    said = next(((part, reason) for part, reason in reasons.items() if reason is not None), None)
    if said is None:
        return None
    part, reason = said
    result = ours("{part} says why it fails: “{text}”.", part=quoted(part, 60), text=quoted(reason.text, 140))
    return evidence("another_reason", key, result, reason.weight, source="reason")


def _time(key: str, name: Markup, live_at: float, found: Fit, services: frozenset[str], observed: Observed) -> Evidence:
    weight, by_course = trajectory(live_at, found, services, observed), has_course(found, services, observed)
    live = moment(live_at)
    if weight >= 0 and began_before_the_samples(live_at, found, observed):
        grown = "has grown" if weight > 0 else "may have grown"
        result = ours("What {name} makes grow {grown} ever since {live}.", name=name, grown=grown, live=live)
    elif weight > 0:
        result = ours("The metrics left their course when {name} was live, from {live}.", name=name, live=live)
    elif live_at > observed.onset[1]:
        result = ours("{name} went live at {live}, after the metrics had left their course.", name=name, live=live)
    else:
        result = ours("The metrics did not leave their course when {name} went live at {live}.", name=name, live=live)
    data: dict[str, JsonValue] = {
        "live_at": live_at,
        "by_course": by_course,
        "is_after_onset": live_at > observed.onset[1] + SLACK_SECONDS,
    }
    return evidence("trajectory", key, result, weight, source="trajectory", data=data)

"""The signs of one firing taken by itself: each a piece of evidence for or against waking somebody."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detection.symptoms import MetricMeaning, Worse, metric_meaning
from detection.symptoms.metric_names import split_words
from detection.triage.budget import burn_of
from detection.triage.limits import CHANGE_SECONDS, FULL, change_before, limit_of, planned_for, seconds_left
from detection.triage.maintenance import maintenance_signs
from detection.triage.plain import figure, span
from detection.triage.shapes import Shape, shape_of
from detection.triage.weights import SEVERITY, WEIGHTS
from detection.triage.words import Context, Firing, Weight
from detection.types import SymptomKind

HARM = frozenset(
    {
        SymptomKind.ERRORS,
        SymptomKind.LATENCY,
        SymptomKind.TIMEOUTS,
        SymptomKind.AUTHENTICATION,
        SymptomKind.CERTIFICATE,
        SymptomKind.CRASH,
        SymptomKind.RESULTS,
        SymptomKind.TRAFFIC_LOST,
    }
)
"""What people feel who use the service."""

QUICK_SECONDS, SLOW_SECONDS = 300.0, 3600.0
_FLAPS, _FLAPS_OFTEN = 3, 8
_LITTLE, _MORE, _MUCH = 0.25, 1.0, 3.0
_FAST_BURN, _SLOW_BURN = 6.0, 3.0
_SOON_SECONDS, _LATER_SECONDS = 4 * 3600.0, 24 * 3600.0
_AT_LIMIT = 0.97
_LITTLE_ROOM = 0.95
_ABOUT = 1.02
_PACE_SECONDS = 1800.0
_FILLS = frozenset({SymptomKind.DISK, SymptomKind.MEMORY, SymptomKind.FILE_HANDLES})
_NEARLY_GONE = 0.2
_HALF = 0.5
_NO_PRODUCTION = frozenset({"staging", "stg", "qa", "preprod", "uat"})
_TRIED_OUT = frozenset({"dev", "sandbox", "perf", "loadtest"})
"""At the end of a service's name. Elsewhere they may mean something else: a dev-portal has real users."""
_LEFT = frozenset({"remaining", "left"})
_BURN = frozenset({"burn", "burnrate", "burning"})
_DEPLOY_SECONDS = 1800.0
_LONG_BEFORE_SECONDS = 1800.0
_LONG_FINE_SECONDS, _FINE_SAMPLES = 900.0, 3
_BARELY = 0.1
_NEW_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A firing with what its samples and its metric's name say. sign: 1 if more is worse, else -1.

    limit: the hard limit, None if none is known. planned: up to where a change lets it go; infinite if none says so.
    """

    firing: Firing
    meaning: MetricMeaning
    sign: float
    shape: Shape
    limit: float | None
    planned: float = math.inf

    @property
    def heals(self) -> bool:
        """It is over: by its own word, which the samples do not contradict, or by the samples alone."""
        if self.comes_back or self._never_fell:
            return False
        return self.firing.healed_after_seconds is not None or self.shape.fell_back

    @property
    def comes_back(self) -> bool:
        """It had fallen back and climbed again, and that is no mere flapping."""
        return self.shape.came_back and not self.shape.flaps

    @property
    def _never_fell(self) -> bool:
        # What has nearly gone is believed to be over when its monitor says so: it may end at another threshold.
        said = self.firing.healed_after_seconds is not None
        remains = self.shape.excess_left > (_NEARLY_GONE if said else 0.0)
        if said and self.shape.flaps:
            return False
        return self.shape.is_over and (remains or not said) and self._has_later_sample

    @property
    def _has_later_sample(self) -> bool:
        healed = self.firing.healed_after_seconds or 0.0
        return bool(np.any(self.firing.times > self.firing.fired_at + healed + 30.0))

    @property
    def stays(self) -> bool:
        """The samples since it fired say that it is over the threshold still."""
        return self.shape.is_over and self._has_later_sample and not self.shape.flaps

    @property
    def is_contradicted(self) -> bool:
        """It is said to have healed, but the samples are over the threshold still, or again."""
        return self.firing.healed_after_seconds is not None and (self._never_fell or self.comes_back)


def seen(firing: Firing, context: Context) -> Seen:
    """Return the firing with the shape of its samples and its limit."""
    meaning = metric_meaning(firing.metric)
    sign = _sign(firing, meaning)
    shape = shape_of(firing.times, firing.values, firing.threshold, sign, since=firing.fired_at)
    limit = 0.0 if sign < 0 else limit_of(firing, context)
    return Seen(firing, meaning, sign, shape, limit, planned_for(firing, context))


def signs(one: Seen, context: Context, now: float) -> tuple[Weight, ...]:
    """Return every piece of evidence about the firing by itself."""
    found = [
        *_course(one, context),
        *_record(one, now),
        *_towards_limit(one),
        *_logs(one),
        *_harm(one),
        *_budget(one),
        *_sender(one.firing),
        *_people(one, context),
        *maintenance_signs(one.firing, context.windows, now, rises=one.shape.rises or one.comes_back),
    ]
    return tuple(found)


def weight(code: str, text: str, times: float = 1.0) -> Weight:
    """Return the evidence of this code with its weight from the table."""
    return Weight(code, WEIGHTS[code] * times, text)


def _sign(firing: Firing, meaning: MetricMeaning) -> float:
    """Return in which direction the metric gets worse: the way in which it passed the threshold, else by its name."""
    value, threshold = firing.value, firing.threshold
    if value is not None and threshold is not None and value != threshold:
        return 1.0 if value > threshold else -1.0
    return -1.0 if meaning.worse is Worse.DOWN else 1.0


def _course(one: Seen, context: Context) -> Iterator[Weight]:
    """Yield what the samples say of the time since it fired: over, back, rising, settled or lasting."""
    firing, shape = one.firing, one.shape
    last = figure(shape.last)
    change = change_before(firing, context, _DEPLOY_SECONDS)
    if shape.peaks_grow:
        yield weight("peaks_grow", "it comes and goes, each time worse")
    if one.heals:
        yield _healing(one)
        if change is not None:
            yield weight("deploy_healed", f"it came with the deploy of {change.version} and went")
        return
    if one.comes_back:
        yield weight("back", f"it was over once and climbed again, to {last}")
    elif one.is_contradicted:
        yield weight("not_healed", f"it is said to be over, but is at {last} still")
    else:
        yield weight("lasts", "it has not ended")
    if shape.rises:
        yield weight("rises", f"it is still rising, now at {last}")
    elif _has_room(one):
        explains = change_before(firing, context, CHANGE_SECONDS)
        if explains is not None:
            yield weight("settles_after_change", f"it holds at {last} since {explains.version}, below its limit")
        else:
            yield weight("settles", f"it holds at {last}, below its limit")
        return
    elif _is_usual(one):
        yield weight("usual_level", f"it was at {last} long before it fired")
    elif _is_recovering(one):
        yield weight("recovers", f"it is on its way back, now at {last}")
    elif _holds(one) and one.meaning.kind not in HARM and _is_quiet(firing):
        yield weight("steady", f"it holds at {last}, and the logs are as always")
    if change is not None:
        yield weight("deploy_does_not_heal", f"{change.version} is out and it has not healed")


def _is_recovering(one: Seen) -> bool:
    """Return whether more than half of what it was over is gone, and it falls still."""
    times, values = one.firing.times, one.firing.values * one.sign
    if one.shape.samples < 3 or one.comes_back or one.shape.excess_left >= _HALF or not one.shape.is_over:
        return False
    return bool(times[-1] > one.firing.fired_at and values[-1] <= values[-2] and values.argmax() < values.size - 2)


def _is_quiet(firing: Firing) -> bool:
    change = firing.signature_change
    return not firing.signature_is_bad and change is not None and change <= _LITTLE


def _healing(one: Seen) -> Weight:
    after = one.firing.healed_after_seconds
    last = figure(one.shape.last)
    if _is_long_over(one):
        return weight("fell_back_long_ago", f"it is back at {last}, for {span(_fine_for(one))} now")
    if after is not None:
        if after <= QUICK_SECONDS:
            return weight("healed", f"it ended by itself after {span(after)}")
        if after <= SLOW_SECONDS or not one.shape.fell_back:
            return weight("healed_slowly", f"it ended by itself after {span(after)}")
    if one.shape.samples_back >= 2 or after is not None:
        return weight("fell_back", f"it is back at {last}")
    return weight("fell_back_once", f"it is back at {last}")


def _is_long_over(one: Seen) -> bool:
    """Return whether it has been fine for long; of what nobody said that it ended, more samples must say so."""
    few = _FINE_SAMPLES if one.firing.healed_after_seconds is None else _FINE_SAMPLES - 1
    return one.heals and one.shape.samples_back >= few and _fine_for(one) >= _LONG_FINE_SECONDS


def _fine_for(one: Seen) -> float:
    """Return for how long the last samples have not been over the threshold, in seconds."""
    times = one.firing.times
    return float(times[-1] - times[-one.shape.samples_back]) if one.shape.samples_back else 0.0


def _is_usual(one: Seen) -> bool:
    """Return whether it holds, just past its threshold, the level that it had long before it fired.

    Of what hurts people that is believed only if the logs are known to be as always too.
    """
    firing, change = one.firing, one.firing.signature_change
    if not one.shape.steady or not _is_barely_over(firing):
        return False
    if (one.meaning.kind in HARM or firing.signature_is_bad) and (change is None or change > _LITTLE):
        return False
    return bool(firing.times[0] <= firing.fired_at - _LONG_BEFORE_SECONDS)


def _holds(one: Seen) -> bool:
    """Return whether it holds a level, and not one above that to which a change lets it go."""
    return (one.shape.steady or one.shape.settled) and one.shape.last <= one.planned * _ABOUT


def _has_room(one: Seen) -> bool:
    """Return whether it holds a level that harms nobody: of something with a limit, and clearly below it."""
    if not one.shape.settled or not _holds(one) or one.firing.signature_is_bad:
        return False
    # Without a known limit nobody can say how much room there is.
    return one.limit is not None and one.sign * one.shape.last < _AT_LIMIT * one.sign * one.limit and one.sign > 0


def _record(one: Seen, now: float) -> Iterator[Weight]:
    """Yield what its own record says: how often it came and went by itself. A flapper that stays is none any more."""
    often = one.firing.fired_last_hour
    code = "flaps_often" if often >= _FLAPS_OFTEN else "flaps"
    if one.heals:
        if often >= _FLAPS:
            yield weight(code, f"it fired {often} times in the last hour and ended each time")
        return
    earlier = one.firing.earlier_seconds
    grows = one.shape.rises or one.comes_back or one.shape.peaks_grow
    if often >= _FLAPS_OFTEN and not earlier and not grows and not one.is_contradicted and not one.stays:
        yield weight(code, f"it fired {often} times in the last hour, so it ended as often")
    if len(earlier) < _FLAPS - 1 or grows or now - one.firing.fired_at > usual_seconds(earlier):
        return
    yield weight(
        "usually_heals", f"it ended by itself within {span(max(earlier))} each of the last {len(earlier)} times"
    )
    yield weight(code, f"it fired {often} times in the last hour")


def usual_seconds(earlier: tuple[float, ...]) -> float:
    """Return for how long a firing may last until it is longer than its earlier ones, with some allowance."""
    return min(1.5 * max(earlier) + 30.0, SLOW_SECONDS)


def _towards_limit(one: Seen) -> Iterator[Weight]:
    left = seconds_left(one.firing)
    if left is not None:
        if one.heals:
            return
        if left > _LATER_SECONDS * 3:
            yield weight("ends_in_days", f"{span(left)} are left")
        elif left <= _LATER_SECONDS:
            yield weight("ends_soon", f"only {span(left)} are left")
        return
    shape, limit = one.shape, one.limit
    if limit is None or one.heals or not shape.samples or one.meaning.kind not in FULL:
        return
    is_at = shape.last <= limit if one.sign < 0 else shape.last >= _AT_LIMIT * limit
    if is_at and one.meaning.kind is not SymptomKind.CPU:
        yield weight("at_limit", f"it is at its limit of {figure(limit)}")
    elif shape.rises and shape.per_second > 0 and _until(shape, limit) <= _SOON_SECONDS:
        yield weight("near_limit", f"at this pace it reaches {figure(limit)} in {span(_until(shape, limit))}")
    elif _fills_slowly(one) and _until(shape, limit) > _LATER_SECONDS:
        yield weight("far_from_limit", f"at this pace it does not reach {figure(limit)} within a day")


def _until(shape: Shape, limit: float) -> float:
    """Return in how many seconds it reaches the limit at its pace."""
    return abs(limit - shape.last) / shape.per_second if shape.per_second > 0 else math.inf


def _fills_slowly(one: Seen) -> bool:
    """Return whether its pace can be told: it is something that fills, has room, and was seen for long enough."""
    if one.meaning.kind not in _FILLS or one.limit is None or one.firing.signature_is_bad:
        return False
    room = one.sign > 0 and one.shape.last < _LITTLE_ROOM * one.limit
    return room and one.shape.samples >= 4 and one.shape.seconds >= _PACE_SECONDS


def _logs(one: Seen) -> Iterator[Weight]:
    # What was logged of something that has been over for long says nothing of now.
    if _is_long_over(one):
        return
    firing = one.firing
    change = firing.signature_change
    if firing.signature_is_bad is False:
        yield weight("logs_usual", "its log pattern is a usual one")
    elif firing.signature_is_bad:
        yield weight("logs_bad", "its log pattern is an error")
    if change is None:
        return
    if change <= _LITTLE:
        yield weight("logs_quiet", "the logs are as always")
    elif change >= _MORE and firing.signature_is_bad is not False:
        code = "logs_much_more" if change >= _MUCH else "logs_more"
        yield weight(code, f"its log pattern is {_how_new(firing, change)}")


def _how_new(firing: Firing, change: float) -> str:
    first = firing.signature_first_seen
    if first is not None and first >= firing.fired_at - _NEW_SECONDS:
        return "new"
    return f"{figure(1 + change)} times as frequent as usual"


def _budget(one: Seen) -> Iterator[Weight]:
    """Yield how fast the error budget is used up, while it lasts: by a metric that says so, or by a share of errors."""
    # What always burns says that the objective is wrong, not that something broke tonight.
    if one.heals or _is_usual(one):
        return
    words = split_words(one.firing.metric)
    if words & _BURN and one.firing.value is not None:
        yield _burn_rate(one.firing.value)
        return
    if "budget" in words and words & _LEFT and one.shape.steady and not one.shape.rises:
        yield weight("budget_burns_slowly", f"the error budget holds at {figure(one.shape.last)}")
        return
    burn = burn_of(one.firing)
    if burn is None:
        return
    code = "budget_burns_fast" if burn.is_fast else "budget_burns"
    spent = f"{figure(100 * burn.spent)} % of a month's error budget (99.9 %) went in {span(burn.seconds)}"
    yield weight(code, f"{spent}, {figure(burn.rate)} times as fast as it may")


def _harm(one: Seen) -> Iterator[Weight]:
    firing, kind = one.firing, one.meaning.kind
    if kind in HARM or (kind is SymptomKind.TRAFFIC and one.sign < 0):
        yield weight("harm", "people who use it feel it")
    elif kind is SymptomKind.TRAFFIC:
        yield weight("busy_only", "more requests alone harm nobody")
    elif kind in (SymptomKind.CPU, SymptomKind.GARBAGE_COLLECTION):
        yield weight("cause_only", "a busy processor alone harms nobody")
    yield from _distance(one)
    names = split_words(firing.service or "")
    if names & _NO_PRODUCTION or _ends_in(firing.service, _TRIED_OUT):
        yield weight("not_production", f"{firing.service} is not production")
    elif "canary" in names:
        yield weight("canary", "it is a canary")


def _ends_in(service: str | None, words: frozenset[str]) -> bool:
    return service is not None and re.split(r"[-_./]", service.lower())[-1] in words


def _burn_rate(rate: float) -> Weight:
    code = "budget_burns_fast" if rate >= _FAST_BURN else "budget_burns"
    code = "budget_burns_slowly" if rate < _SLOW_BURN else code
    return weight(code, f"the error budget burns {figure(rate)} times as fast as it may")


def _distance(one: Seen) -> Iterator[Weight]:
    value, threshold = one.firing.value, one.firing.threshold
    if value is None or not threshold:
        return
    share = value / threshold
    far = share >= 3 if one.sign > 0 else share <= 1 / 3
    if far and not one.meaning.is_countdown:
        yield weight("far_over", f"{figure(value)} is far from {figure(threshold)}")
    elif _is_barely_over(one.firing):
        yield weight("barely_over", f"{figure(value)} is just past {figure(threshold)}")


def _is_barely_over(firing: Firing) -> bool:
    value, threshold = firing.value, firing.threshold
    if value is None or not threshold:
        return False
    return abs(value / threshold - 1) <= _BARELY


def _sender(firing: Firing) -> Iterator[Weight]:
    word = firing.severity.value.upper() if firing.severity else "no severity"
    yield Weight("severity", SEVERITY[firing.severity], f"its sender says {word}")


def _people(one: Seen, context: Context) -> Iterator[Weight]:
    said = context.past.get(one.firing.fingerprint)
    if said is None:
        return
    if said.should_have_woken:
        yield weight("should_have_woken", "people said that it should have woken them", min(3, said.should_have_woken))
    # What people were right about last week does not cover what grows tonight.
    if said.false_alarms and not (one.shape.rises or one.comes_back):
        yield weight("false_alarm", "people called it a false alarm", min(3, said.false_alarms))

"""What the surroundings say they lack: a clock that is right, room in the cloud, a machine that works.

Such lines name a reason that is no code of one's own. They come from the failing parts themselves, or from what runs
beside them: the kernel, the autoscaler, the time service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detection.chain import LineGroup
from integrations.text import Markup, ours
from workers.diagnosis import weights
from workers.diagnosis.causes.lines import bad_lines, lines_in_all, share_of_bad
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Hypothesis, Role
from workers.diagnosis.scene.model import Observed
from workers.words.text import counted, quoted

BEFORE_SECONDS, AFTER_SECONDS = 1800.0, 180.0
"""How long before and after the onset such lines may begin, to be what began it."""

MOST_LINES = 0.5


@dataclass(frozen=True, slots=True)
class _Lack:
    pattern: re.Pattern[str]
    statement: Markup


LACKS: Mapping[str, _Lack] = {
    "clock": _Lack(
        re.compile(
            r"\b(?:clock|time) ?(?:skew|drift)|(?:clock|time) (?:is )?(?:out of sync|not synchroni[sz]ed)|"
            r"TimeTooSkewed|token used before issued|\biat\b.{0,40}\bfuture|timestamp .{0,40}in the future|"
            r"\b(?:chronyd?|ntpd?|timesyncd)\b.{0,60}(?:no selectable|synchroni[sz]e\b|unsynchroni|lost sync)",
            re.IGNORECASE,
        ),
        ours("A clock is wrong; no change of the code did it."),
    ),
    "cloud_quota": _Lack(
        re.compile(
            r"quota\b.{0,30}\bexceeded\b.{0,80}\b(?:region|zone|subscription)|(?:Vcpu|Instance)LimitExceeded|"
            r"InsufficientInstanceCapacity|RESOURCE_POOL_EXHAUSTED|\bscale[- ]?up failed|FailedScaleUp|"
            r"no capacity (?:in|available)",
            re.IGNORECASE,
        ),
        ours("The cloud gives no more machines; no change of the code did it."),
    ),
    "node": _Lack(
        re.compile(
            r"\b(?:soft|hard) lockup|\bhung.?task|\btask \S+ blocked for more than|\bI/O error,? dev|EXT4-fs error|"
            r"\bnvme\d?\S* .{0,40}(?:timeout|reset)|machine check|\bmce: |\bEDAC .{0,40}(?:\bUE\b|uncorrect)|"
            r"link is down|\bTX timeout|filesystem read-only|\brcu_\w+ .{0,30}stall|kernel panic",
            re.IGNORECASE,
        ),
        ours("A machine fails, and what runs on it suffers."),
    ),
}


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield a suspicion for each lack of which lines speak that began with the trouble."""
    new = [group for group in bad_lines(observed) if _is_in_time(group, observed)]
    for cause, lack in LACKS.items():
        told = [group for group in new if lack.pattern.search(group.text)]
        if not told:
            continue
        example = max(told, key=lambda group: group.count)
        key = f"{cause}:{example.part}:said"[:300]
        hypothesis = Hypothesis(
            key=key,
            cause=cause,
            role=Role.ORIGIN,
            statement=lack.statement,
            prior=weights.SURROUNDINGS_PRIOR,
            service=example.part,
        )
        result = ours(
            "{count} say so: “{text}” ({part}).",
            count=counted(lines_in_all(told), "line"),
            text=quoted(example.text, 140),
            part=quoted(example.part, 60),
        )
        weight = weights.SURROUNDINGS_SAID if _is_reason(told, observed) else weights.SURROUNDINGS_SAID_BESIDE
        yield Suspicion(hypothesis, (evidence("surroundings", key, result, weight, source="logs"),))


def _is_in_time(group: LineGroup, observed: Observed) -> bool:
    earliest, latest = observed.onset
    return group.first_seen is None or earliest - BEFORE_SECONDS <= group.first_seen <= latest + AFTER_SECONDS


def _is_reason(told: Sequence[LineGroup], observed: Observed) -> bool:
    """Whether those who tell of it tell of little else, and something beside their lines shows that they are unwell."""
    unwell = {sign.part for sign in observed.signs if sign.source != "log"}
    parts = {group.part for group in told}
    return bool(parts & unwell) and share_of_bad(told, observed) >= MOST_LINES

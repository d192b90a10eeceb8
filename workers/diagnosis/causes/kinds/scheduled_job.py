"""A scheduled job: something that runs at its hour began when the trouble began."""

from __future__ import annotations

import re
from collections.abc import Iterator

from integrations.cards import moment
from integrations.text import ours
from workers.diagnosis import weights
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Hypothesis, Role
from workers.diagnosis.scene.model import Observed
from workers.words.text import quoted

CAUSE = "scheduled_job"
BEFORE_SECONDS, AFTER_SECONDS = 600.0, 60.0
TOGETHER_SECONDS = 120.0
_JOB = re.compile(
    r"\b(?:cron(?:job)?|nightly|hourly|weekly|scheduled|batch|backup|vacuum|reindex|compaction|etl|rollup|export|import)\b"
    r".{0,60}\b(?:start|began|begin|(?<!not )running|launch|kick|trigger|creat)",
    re.IGNORECASE,
)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
"""Where a new word begins in a reason such as "SuccessfulCreate"."""


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield a suspicion for the job whose beginning is nearest before the onset."""
    earliest, latest = observed.onset
    # A job says once that it begins, so its line counts by what else is seen of the job, and not by itself.
    begun = [
        (group.first_seen, group.part, group.text)
        for group in (*observed.scene.lines, *(line for line in observed.scene.faint if _works(line.part, observed)))
        if group.first_seen is not None and _JOB.search(group.text)
    ]
    begun += [
        (event.happened_at, event.service or event.object_name, f"{event.reason} {event.message}")
        for event in observed.scene.events
        if _JOB.search(f"{event.object_name} {_HUMP.sub(' ', event.reason)}")
    ]
    near = [item for item in begun if earliest - BEFORE_SECONDS <= item[0] <= latest + AFTER_SECONDS]
    if not near:
        return
    at, part, text = max(near, key=lambda item: (_is_related(item[1], observed), item[0]))
    key = f"{CAUSE}:{part}"[:300]
    hypothesis = Hypothesis(
        key=key,
        cause=CAUSE,
        role=Role.ORIGIN,
        statement=ours("A scheduled job of {part} began when it began.", part=quoted(part, 60)),
        prior=weights.SCHEDULED_JOB_PRIOR,
        service=part,
    )
    result = ours("{at}: “{text}”.", at=moment(at), text=quoted(text, 140))
    related = _is_related(part, observed)
    weight = weights.JOB_AT_ONSET if related else weights.JOB_ELSEWHERE
    began = evidence("job_began", key, result, weight, source="logs")
    others = sorted({name for moment_of, name, _ in near if name != part and abs(moment_of - at) <= TOGETHER_SECONDS})
    if not related or not others:
        yield Suspicion(hypothesis, (began,))
        return
    both = ours("A job of {other} began in the same minutes.", other=quoted(others[0], 60))
    yield Suspicion(hypothesis, (began, evidence("jobs_at_once", key, both, weights.JOBS_AT_ONCE, source="jobs")))


def _is_related(part: str, observed: Observed) -> bool:
    return part in observed.involved() or bool(observed.callees(part) & observed.involved())


def _works(part: str, observed: Observed) -> bool:
    """Whether something that no text makes up shows the work of a job: in its part, or in what its part uses."""
    own = {part, *observed.callees(part)} - set(observed.chain.victims)
    return any(sign.part in own and sign.source != "log" for sign in observed.signs)

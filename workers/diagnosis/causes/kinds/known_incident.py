"""A known incident: a resolved one of the same service looked alike, and what it was and what ended it is known."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detection.symptoms import metric_meaning, symptoms_of_text
from detection.types import SymptomKind
from integrations.cards import moment
from integrations.text import Markup, ours
from storage.knowledge import KnownIncident
from workers.diagnosis import weights
from workers.diagnosis.causes.lines import bad_lines
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Evidence, Hypothesis, Role
from workers.diagnosis.scene.model import Observed
from workers.words.text import percent, quoted

CAUSE = "known_incident"
ALIKE_AT = 0.6
_WORD = re.compile(r"[a-z][a-z0-9]{2,}")
_COMMON = frozenset(
    _WORD.findall(
        "the and for with from was were has have not than its that this are more less per minute usual instead "
        "service error errors slow slower high low rate fail fails failed request requests commit deploy query queries "
        "now before runs run time times broke most likely made"
    )
)
_LONGEST = 5_000


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield a suspicion for the resolved incident that is most like this one, if any is like it."""
    judged = [(_likeness(known, observed), known) for known in observed.scene.known if known.root_cause.strip()]
    alike = [(likeness, known) for likeness, known in judged if likeness >= ALIKE_AT]
    if not alike:
        return
    likeness, known = max(alike, key=lambda item: (item[0], item[1].ended_at))
    hypothesis = Hypothesis(
        key=f"{CAUSE}:{known.incident_id}",
        cause=CAUSE,
        role=Role.ORIGIN,
        statement=ours(
            "The same as incident #{number}: “{cause}”.",
            number=known.incident_id,
            cause=quoted(known.root_cause, 200),
        ),
        prior=weights.KNOWN_INCIDENT_PRIOR,
        service=known.service,
    )
    checks = (_alike(hypothesis.key, known, likeness), _words_in_lines(hypothesis.key, known, observed))
    yield Suspicion(hypothesis, tuple(item for item in checks if item is not None))


def _likeness(known: KnownIncident, observed: Observed) -> float:
    """Return how much alike two incidents are, 0 to 1: of one service, by kinds of symptom and by words."""
    if known.service is None or known.service not in observed.involved():
        return 0.0
    then = symptoms_of_text(known.symptom) | _kinds_of_metrics(known)
    seen = frozenset().union(*(observed.kinds.get(part, frozenset()) for part in observed.involved()))
    seen |= symptoms_of_text(" ".join(observed.scene.alert_texts)[:_LONGEST])
    kinds = len(then & seen) / len(then) if then else 0.0
    said = _words(known.symptom) - _words(known.service)
    heard = _words(" ".join((*observed.scene.alert_texts, *(group.text for group in bad_lines(observed)))))
    words = len(said & heard) / len(said) if said else kinds
    return (kinds + words) / 2 if kinds else 0.0


def _kinds_of_metrics(known: KnownIncident) -> frozenset[SymptomKind]:
    return frozenset(kind for name in known.metrics if (kind := metric_meaning(name).kind) is not None)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text[:_LONGEST].lower())) - _COMMON


def _alike(key: str, known: KnownIncident, likeness: float) -> Evidence:
    result = ours(
        "Incident #{number} of {service}, ended {at}, looked alike ({likeness}): “{symptom}”. {ended}",
        number=known.incident_id,
        service=quoted(known.service or "", 60),
        at=moment(known.ended_at),
        likeness=percent(likeness),
        symptom=quoted(known.symptom, 120),
        ended=ours("What ended it: “{fix}”.", fix=quoted(known.fix, 160))
        if known.fix
        else "What ended it is not known.",
    )
    data = {"incident_id": known.incident_id, "likeness": round(likeness, 3), "fix": quoted(known.fix, 300)}
    return evidence("same_before", key, result, weights.KNOWN_INCIDENT_ALIKE * likeness, source="incidents", data=data)


def _ended(known: KnownIncident) -> Markup:
    if not known.fix:
        return ours("What ended it is not known.")
    return ours("What ended it: “{fix}”.", fix=quoted(known.fix, 160))


def _words_in_lines(key: str, known: KnownIncident, observed: Observed) -> Evidence | None:
    """Check whether the new bad lines hold what the cause of then is told with."""
    then = _words(known.root_cause) - _words(known.service or "")
    lines = [(len(then & _words(group.text)), group) for group in bad_lines(observed)]
    shared, group = max(lines, key=lambda item: item[0], default=(0, None))
    if group is None or not then or shared < max(2, len(then) / 3):
        return None
    result = ours("Lines say now what its cause was told with then: “{text}”.", text=quoted(group.text, 140))
    return evidence("same_words", key, result, weights.KNOWN_CAUSE_IN_LINES, source="logs")

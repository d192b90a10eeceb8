"""Names do not resolve, or the network drops what is sent: several parts suffer alike, whoever calls whom."""

from __future__ import annotations

from collections.abc import Iterator

from detection.types import SymptomKind
from integrations.text import listed, ours, theirs
from workers.diagnosis import weights
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Hypothesis, Role
from workers.diagnosis.scene.model import Observed
from workers.words.text import quoted

_KINDS = {
    SymptomKind.NAME_LOOKUP: ("name_lookup", ours("Names do not resolve (DNS).")),
    SymptomKind.NETWORK: ("network", ours("The network between parts fails.")),
}
EARLY_SECONDS = 180.0
"""How long after the first sign one still counts as among the first."""


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield a suspicion for each of DNS and network that shows among the first signs of the incident's parts."""
    involved = observed.involved()
    for kind, (cause, statement) in _KINDS.items():
        signs = [sign for sign in observed.signs if sign.kind is kind and sign.part in involved]
        early = [sign for sign in signs if sign.earliest <= observed.onset[1] + EARLY_SECONDS]
        if not early:
            continue
        parts = sorted({sign.part for sign in signs})
        hypothesis = Hypothesis(
            key=cause,
            cause=cause,
            role=Role.ORIGIN,
            statement=statement,
            prior=weights.NETWORK_PRIOR,
            service=early[0].part,
        )
        result = ours(
            "It shows in {parts} from the start: “{text}”.",
            parts=listed([theirs(quoted(part, 40)) for part in parts[:5]]),
            text=quoted(early[0].text, 120),
        )
        weight = weights.NETWORK_IN_SEVERAL if len(parts) > 1 else weights.NETWORK_IN_ONE
        yield Suspicion(hypothesis, (evidence("network_signs", cause, result, weight, source="logs"),))

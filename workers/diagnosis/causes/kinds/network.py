"""Names do not resolve, or the network drops what is sent: several parts suffer alike, whoever calls whom."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from detection.chain import Sign
from detection.symptoms import symptoms_of_text
from detection.types import SymptomKind
from integrations.text import listed, ours, theirs
from workers.diagnosis import weights
from workers.diagnosis.causes.lines import bad_lines, come_as_often
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Hypothesis, Role
from workers.diagnosis.scene.model import Observed
from workers.words.text import quoted

_KINDS = {
    SymptomKind.NAME_LOOKUP: ("name_lookup", ours("Names do not resolve (DNS).")),
    SymptomKind.NETWORK: ("network", ours("The network between parts fails.")),
}
_LOOKED_UP = re.compile(
    r"(?:lookup|resolve(?: host)?:?|getaddrinfo \w+|not known:|UnknownHostException:|no such host:?|hostname) +[\"']?"
    r"((?:[a-z0-9_-]+\.)+[a-z0-9_-]+)",
    re.IGNORECASE,
)
_NO_WAY = re.compile(r"no route to host|(?:network|host) is unreachable", re.IGNORECASE)
SEVERAL_NAMES = 2
EARLY_SECONDS = 180.0
"""How long after the first sign one still counts as among the first."""


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield a suspicion for each of DNS and network that shows among the first signs of the incident's parts."""
    involved = observed.involved()
    for kind, (cause, statement) in _KINDS.items():
        signs = [sign for sign in observed.signs if sign.kind is kind and sign.part in involved]
        signs = [sign for sign in signs if kind is SymptomKind.NAME_LOOKUP or not _is_of_a_name(sign)]
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
        weight = weights.NETWORK_IN_SEVERAL if len(parts) > 1 else _weight_in_one(kind, observed)
        said = evidence("network_signs", cause, result, weight, source="logs")
        names = _names_that_fail(signs) if kind is SymptomKind.NAME_LOOKUP else ()
        if len(names) < SEVERAL_NAMES:
            yield Suspicion(hypothesis, (said,))
            continue
        several = ours(
            "It is no single name: {names} fail.", names=listed([theirs(quoted(name, 60)) for name in names[:4]])
        )
        yield Suspicion(
            hypothesis, (said, evidence("names_that_fail", cause, several, weights.SEVERAL_NAMES_FAIL, source="names"))
        )


def _weight_in_one(kind: SymptomKind, observed: Observed) -> float:
    """Return the weight where one part alone tells of it: more if names or ways that are not found are its trouble."""
    told = [group for group in bad_lines(observed) if kind in symptoms_of_text(group.text)]
    if kind is SymptomKind.NETWORK:
        # A reset or a time-out may be the other part's own doing; where no way leads, it is the network.
        told = [group for group in told if _NO_WAY.search(group.text)]
    return weights.NO_WAY_MOSTLY if come_as_often(told, observed) else weights.NETWORK_IN_ONE


def _is_of_a_name(sign: Sign) -> bool:
    """Whether what timed out on the network was the look-up of a name."""
    return SymptomKind.NAME_LOOKUP in symptoms_of_text(sign.text)


def _names_that_fail(signs: Sequence[Sign]) -> tuple[str, ...]:
    """Return the names that do not resolve, as the lines say. A typing error of a change breaks one name, not all."""
    return tuple(sorted({found.lower() for sign in signs for found in _LOOKED_UP.findall(sign.text[:2000])}))

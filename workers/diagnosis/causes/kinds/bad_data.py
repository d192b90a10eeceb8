"""Bad data: one record, one tenant or one poison message that the code cannot take."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from detection.symptoms import symptoms_of_text
from detection.types import SymptomKind
from integrations.text import ours
from workers.diagnosis import weights
from workers.diagnosis.causes.lines import bad_lines, lines_in_all
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Evidence, Hypothesis, Role
from workers.diagnosis.scene.model import Observed
from workers.words.text import counted, quoted

CAUSE = "bad_data"
_POISON = re.compile(
    r"poison|dead.?letter|\bdlq\b|corrupt|same (?:message|record)|redeliver|requeue|re-queued|\bnack|"
    r"seek(?:ing)? back|reprocess|delivery (?:attempt )?(?:\d|<N>)|offset \d+.{0,40}(?:fail|error)",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"\b(?P<name>tenant|customer|account|org|merchant|message|record|order|partner|partition|offset|file|batch|user|sku|feed|supplier)"
    r"(?:[_-]?id)?[\"']?\s*[=:# -]\s*[\"']?(?P<value>(?=[\w.-]*\d)[A-Za-z0-9][\w.-]{0,60})",
    re.IGNORECASE,
)
_READS = re.compile(
    r"\b(?:while|when|error|failed to|cannot|could not) (?:pars|decod|import|read|convert|process)\w*|"
    r"\bat (?:row|line|record) \S+",
    re.IGNORECASE,
)
"""What fails while it takes in data. That the data did it is likely only where it names one record again and again."""

FEWEST_LINES = 5
ONE_OF = 0.8


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield one suspicion if the new bad lines of the incident's parts speak of data that cannot be taken."""
    involved = observed.involved()
    one = _one_key(observed)
    lines = [
        group
        for group in bad_lines(observed)
        if group.part in involved and (_is_of_data(group.text) or (one is not None and _READS.search(group.text)))
    ]
    if not lines:
        return
    example = max(lines, key=lambda group: group.count)
    hypothesis = Hypothesis(
        key=CAUSE,
        cause=CAUSE,
        role=Role.ORIGIN,
        statement=ours("Data that {part} cannot take has come in.", part=quoted(example.part, 60)),
        prior=weights.BAD_DATA_PRIOR,
        service=example.part,
    )
    poison = [group for group in lines if _POISON.search(group.text)]
    result = ours(
        "{count} say so: “{text}”.",
        count=counted(lines_in_all(lines), "line"),
        text=quoted(example.text, 140),
    )
    said = evidence(
        "data_lines", CAUSE, result, weights.POISON_SAID if poison else weights.CANNOT_BE_READ, source="logs"
    )
    yield Suspicion(hypothesis, (said, one) if one is not None else (said,))


def _is_of_data(text: str) -> bool:
    kinds = symptoms_of_text(text) & {SymptomKind.BAD_DATA, SymptomKind.DECODING}
    return bool(_POISON.search(text) or kinds)


def _texts(observed: Observed) -> Iterator[tuple[str, int]]:
    """Yield the bad lines with how often they came: word for word where the store has them.

    Many lines with many values are one group, which shows only one of them.
    """
    involved = observed.involved()
    said = [text for part, text in observed.scene.said if part in involved]
    if said:
        yield from ((text, 1) for text in said)
    else:
        yield from ((group.text, round(group.count)) for group in bad_lines(observed))


def _one_key(observed: Observed) -> Evidence | None:
    """Check whether nearly all bad lines that name a tenant, record or message name the same one."""
    counts: Counter[tuple[str, str]] = Counter()
    for text, count in _texts(observed):
        for match in _KEY.finditer(text[:2000]):
            value = match["value"]
            if any(character.isdigit() for character in value):
                counts[match["name"].lower(), value] += count
    for (name, value), count in counts.most_common(1):
        every = sum(other for (other_name, _), other in counts.items() if other_name == name)
        if count >= FEWEST_LINES and count >= ONE_OF * every:
            result = ours(
                "{count} of {every} lines that name a {name} name the same one, {value}.",
                count=count,
                every=every,
                name=name,
                value=quoted(value, 60),
            )
            return evidence(
                "one_record",
                CAUSE,
                result,
                weights.ONE_RECORD,
                source="records",
                data={"record": f"{name} {quoted(value, 60)}"},
            )
    return None

"""Queries got slow, or read far more rows than before."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detection.chain import LineGroup
from detection.types import SymptomKind
from integrations.cards import moment
from integrations.text import ours
from workers.diagnosis import weights
from workers.diagnosis.causes.lines import is_news
from workers.diagnosis.causes.mechanisms.harm import mechanism, parts_of_harm, signs_of_kinds
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Evidence
from workers.diagnosis.scene.model import Observed
from workers.words.text import quoted, quoted_code

CAUSE = "slow_query"
_KINDS = (SymptomKind.SLOW_QUERIES, SymptomKind.ROWS_READ)
_STATEMENT = re.compile(
    r"\b(?:SELECT\b.{1,400}?\bFROM\b|UPDATE\b.{1,200}?\bSET\b|INSERT\s+INTO\b|DELETE\s+FROM\b).{0,400}",
    re.IGNORECASE | re.DOTALL,
)
_SLOW = re.compile(
    r"slow.{0,20}quer|quer\w*.{0,40}\b(?:slow|took|exceeded|timeout|timed out|cancel)|long.?running|duration[:=]|"
    r"statement timeout|seq(?:uential)? scan|full (?:table )?scan|rows?_?(?:examined|scanned)",
    re.IGNORECASE,
)


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield one suspicion for the part whose queries got slow first."""
    signs = signs_of_kinds(observed, _KINDS)
    lines = _slow_lines(observed)
    if not signs and not lines:
        return
    part = signs[0].part if signs else lines[0].part
    hypothesis = mechanism(CAUSE, part, ours("{part} answers queries slowly.", part=quoted(part, 60)))
    checks = [_measured(hypothesis.key, part, observed), _statement(hypothesis.key, lines)]
    yield Suspicion(hypothesis, tuple(item for item in checks if item is not None))


def _slow_lines(observed: Observed) -> list[LineGroup]:
    """Return the lines that are news, call a query slow and name it, the most frequent first."""
    parts = parts_of_harm(observed)
    found = [
        group
        for group in observed.scene.lines
        if group.part in parts and is_news(group) and _SLOW.search(group.text) and _STATEMENT.search(group.text)
    ]
    return sorted(found, key=lambda group: -group.count)


def _measured(key: str, part: str, observed: Observed) -> Evidence | None:
    own = [sign for sign in signs_of_kinds(observed, _KINDS) if sign.part == part]
    if not own:
        return None
    first = own[0]
    result = ours(
        "“{text}” of {part} left its course at {at}.",
        text=quoted(first.text, 120),
        part=quoted(part, 60),
        at=moment(first.latest),
    )
    weight = weights.QUERIES_SLOWED if any(sign.source == "metric" for sign in own) else weights.QUERIES_SAID_SLOW
    return evidence("slow_queries", key, result, weight, source="metrics")


def _statement(key: str, lines: list[LineGroup]) -> Evidence | None:
    if not lines:
        return None
    found = _STATEMENT.search(lines[0].text)
    statement = quoted(found[0] if found else lines[0].text, 200)
    result = ours(
        "Lines of {part} name the slow query: {statement}.",
        part=quoted(lines[0].part, 60),
        statement=quoted_code(statement),
    )
    data = {"statement": statement}
    return evidence("slow_statement", key, result, weights.QUERIES_SAID_SLOW, source="logs", data=data)

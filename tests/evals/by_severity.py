"""The peer of triage: whatever its sender calls SEV1 or SEV2 wakes somebody."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.evals.cases import PAGES, Case
from tests.evals.graders.triage import PAGE, grade
from tests.evals.plain_answer import PlainAnswer

_WAKING = frozenset({"SEV1", "SEV2", "CRITICAL", "HIGH"})


def share_passed_by_severity(cases: Sequence[Case]) -> float:
    """Return the share of cases that pass if the sender's severity alone decides."""
    return sum(grade(case, _by_severity(case)).passed for case in cases) / max(len(cases), 1)


def _by_severity(case: Case) -> PlainAnswer:
    path = case.folder / PAGES
    pages = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    wakes = {page["id"]: str(page.get("severity", "")).upper() in _WAKING for page in pages}
    return PlainAnswer(case=case.name, decisions={name: PAGE if wake else "suppress" for name, wake in wakes.items()})

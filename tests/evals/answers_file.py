"""`ANSWERS=FILE`: one JSON line a case, for a grader of another's. `SCORE=FILE`: marks such lines again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.evals.cases import Case
from tests.evals.plain_answer import PlainAnswer
from tests.evals.seam import Answer

Recorded = Mapping[tuple[str, str], Answer]
"""Answers by suite and case."""


def answer_line(case: Case, answer: Answer) -> str:
    """Return the answer as a JSON line. An abstention is null; decisions are there only where alerts were triaged."""
    line: dict[str, Any] = {
        "suite": case.suite,
        "case": case.name,
        "root_cause_commit": answer.root_cause_commit,
        "confidence": round(answer.confidence, 4),
        "first_failing_service": answer.first_failing_service,
        "blast_radius": list(answer.blast_radius),
        "remediation": answer.remediation,
        "origin_service": answer.origin_service,
        "propagation_path": [{"from": start, "to": end} for start, end in answer.propagation_path],
        "cause": answer.cause,
        "ranked": [[key, round(probability, 4)] for key, probability in answer.ranked],
        "seconds": round(answer.seconds, 3),
    }
    if answer.decisions:
        line["decisions"] = dict(sorted(answer.decisions.items()))
    return json.dumps(line, ensure_ascii=False)


class AnswersFile:
    """Writes each answer once it is there, so that a stopped run leaves what it has; without a path nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.written = 0
        if path is not None:
            path.write_text("", encoding="utf-8")

    def add(self, case: Case, answer: Answer) -> None:
        """Append the answer to a case."""
        if self._path is not None:
            self.written += 1
            with self._path.open("a", encoding="utf-8") as file:
                file.write(answer_line(case, answer) + "\n")


def read_answers(path: Path) -> Recorded:
    """Return the answers of a file that an earlier run wrote; of several to one case the last counts.

    Raises ValueError, with the line, where one is no answer, and OSError if there is no such file.
    """
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            told = json.loads(line)
            found[told["suite"], told["case"]] = _answer(told)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}, line {number}: this is no answer ({error!r})") from error
    return found


def _answer(told: Mapping[str, Any]) -> Answer:
    return PlainAnswer(
        case=told["case"],
        root_cause_commit=told["root_cause_commit"],
        confidence=float(told["confidence"]),
        ranked=tuple((key, float(probability)) for key, probability in told["ranked"]),
        cause=told["cause"],
        first_failing_service=told["first_failing_service"],
        blast_radius=tuple(told["blast_radius"]),
        remediation=told["remediation"],
        origin_service=told["origin_service"],
        propagation_path=tuple((edge["from"], edge["to"]) for edge in told["propagation_path"]),
        decisions=told.get("decisions", {}),
        seconds=float(told["seconds"]),
    )

"""`ANSWERS=FILE`: one JSON line a case, for a grader of another's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.evals.cases import Case
from tests.evals.seam import Answer


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

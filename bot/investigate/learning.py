"""Learn from exported incidents whose cause is known: how often answers of each confidence were right."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from bot.investigate.answer import Investigation
from bot.investigate.marks import Marks
from bot.investigate.reading.documents import json_of
from bot.investigate.reading.fields import text
from bot.investigate.reading.problems import Problems
from detection.types import JudgedAnswer
from storage.outcomes import Source, record_outcome
from workers.services import Services

SAID_BY = "truth.json"


def learn(services: Services, answers: Sequence[tuple[Path, Investigation, Marks | None]]) -> int:
    """Record how the answers compare with the truth.json in their folders; return how many were recorded.

    Only an answer that names a cause and has a truth about it counts: one that says it does not know claims nothing.
    An incident that is learnt again replaces what was learnt of it before.
    """
    now = services.clock()
    learnt = 0
    with services.sessions.begin() as session:
        for folder, answer, marks in answers:
            judged = judged_answer(answer, marks)
            if judged is None:
                continue
            learnt += 1
            record_outcome(
                session,
                source=Source.EXPORT,
                answer=judged,
                export=_name(folder),
                said_by=SAID_BY,
                true_cause=_true_cause(folder),
                now=now,
            )
    return learnt


def judged_answer(answer: Investigation, marks: Marks | None) -> JudgedAnswer | None:
    """Return the answer about the cause, judged; None if it names no cause or the truth says nothing about it."""
    if marks is None or marks.commit is None or answer.root_cause_commit is None:
        return None
    return JudgedAnswer(answer.cause, answer.raw_confidence, marks.commit, answer.confidence)


def _name(folder: Path) -> str:
    """Return a name that stays when the folder moves, and differs from that of another incident of the same name."""
    alert = folder / "alert.json"
    digest = hashlib.sha256(alert.read_bytes() if alert.exists() else b"").hexdigest()
    return f"{folder.resolve().name}:{digest[:16]}"


def _true_cause(folder: Path) -> str:
    truth = json_of(folder / "truth.json", Problems())
    return (text(truth, "root_cause_commit") or "") if isinstance(truth, dict) else ""

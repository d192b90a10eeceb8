"""Weigh the stored evidence of a finished diagnosis again: the same evidence must give the same answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from storage.models import Diagnosis
from workers.diagnosis.model import FixPlan, Verdict
from workers.diagnosis.pipeline import CHARACTERISE, CONFIRM, FIX, GATHER, HYPOTHESISE
from workers.diagnosis.steps.confirm import confirm
from workers.diagnosis.steps.fix import plan_fix
from workers.errors import RefusedError

_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Replay:
    """A finished diagnosis, weighed again. differences: one line each; none if the answer is the same."""

    diagnosis_id: int
    verdict: Verdict
    differences: tuple[str, ...]


def replay(diagnosis: Diagnosis | None) -> Replay:
    """Run the steps "confirm" and "fix" again on what the earlier steps stored; nothing is read anew or written.

    Raises RefusedError, with the reason, if there is no diagnosis or it has not stored all of its steps.
    """
    if diagnosis is None:
        raise RefusedError("This incident has no diagnosis yet.")
    if diagnosis.status == "running":
        raise RefusedError("The diagnosis is still running; replay it when it has ended.")
    steps = (CHARACTERISE, HYPOTHESISE, GATHER, CONFIRM, FIX)
    missing = [step.name for step in steps if step.name not in diagnosis.checkpoints]
    if missing:
        raise RefusedError(f"The diagnosis {diagnosis.status} before its step {missing[0]}, so there is no answer.")
    saved = diagnosis.checkpoints
    described = CHARACTERISE.codec.validate_python(saved[CHARACTERISE.name])
    hypotheses = HYPOTHESISE.codec.validate_python(saved[HYPOTHESISE.name]).hypotheses
    gathered = GATHER.codec.validate_python(saved[GATHER.name])
    before = CONFIRM.codec.validate_python(saved[CONFIRM.name])
    now = confirm(described, hypotheses, gathered, before.calibration)
    fix = plan_fix(now, hypotheses, gathered)
    fix_before = FIX.codec.validate_python(saved[FIX.name])
    return Replay(diagnosis.id, now, tuple(_differences(before, now, fix_before, fix)))


def _differences(before: Verdict, now: Verdict, fix_before: FixPlan, fix: FixPlan) -> Iterator[str]:
    pairs = {
        "status": (before.status, now.status),
        "cause": (before.origin_key, now.origin_key),
        "suspected commit": (_sha(before), _sha(now)),
        "no change did it": (before.no_change, now.no_change),
        "remedy": (before.remedy, now.remedy),
        "root cause": (before.root_cause, now.root_cause),
        "explanation": (before.explanation, now.explanation),
        "coverage": (before.coverage, now.coverage),
        "chain": (before.chain, now.chain),
        "fix": (fix_before, fix),
    }
    yield from (f"{name}: was {was}, is {is_}" for name, (was, is_) in pairs.items() if was != is_)
    if abs(before.confidence - now.confidence) > _CLOSE:
        yield f"confidence: was {before.confidence:.2%}, is {now.confidence:.2%}"
    if before.raw_none_confidence and abs(before.none_confidence - now.none_confidence) > _CLOSE:
        yield f"confidence that no commit did it: was {before.none_confidence:.2%}, is {now.none_confidence:.2%}"
    posteriors = {item.key: item.posterior for item in before.ranked}
    if [item.key for item in before.ranked] != [item.key for item in now.ranked]:
        yield "ranking: the order of the hypotheses"
    elif moved := [item.key for item in now.ranked if abs(posteriors[item.key] - item.posterior) > _CLOSE]:
        yield f"ranking: the probability of {', '.join(moved)}"


def _sha(verdict: Verdict) -> str | None:
    return verdict.suspect.sha if verdict.suspect is not None else None

"""Run the five steps in order with a checkpoint after each; a restarted worker resumes after the last one saved.

A step runs outside any transaction; then its rows and its checkpoint are written in one transaction. If two workers run
the same diagnosis, the first to write a step wins, and the other continues from what was written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from detection.types import Deploy
from storage.database.rows import hold
from storage.diagnoses import add_evidence, conclude, get_diagnosis, put_hypotheses, save_checkpoint, start_diagnosis
from storage.incidents import get_incident, to_finding
from storage.models import Diagnosis
from workers.diagnosis.causes.suspects import Suspects, find_suspects
from workers.diagnosis.certainty.calibrating import read_calibration
from workers.diagnosis.model import (
    Candidates,
    Characterisation,
    DiagnosisOutcome,
    DiagnosisSources,
    FixPlan,
    Gathered,
    Verdict,
)
from workers.diagnosis.scene.observing import observe
from workers.diagnosis.scene.reading import read_scene
from workers.diagnosis.steps.characterise import characterise
from workers.diagnosis.steps.confirm import confirm
from workers.diagnosis.steps.fix import plan_fix
from workers.diagnosis.steps.gather import gather
from workers.diagnosis.steps.hypothesise import hypothesise

__all__ = ["DiagnosisOutcome", "DiagnosisSources", "fix_of", "outcome_of", "run", "verdict_of"]

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True)
class Step(Generic[T]):
    """A step's name, and the codec that converts its output to and from JSON."""

    name: str
    codec: TypeAdapter[T]


CHARACTERISE = Step("characterise", TypeAdapter(Characterisation))
HYPOTHESISE = Step("hypothesise", TypeAdapter(Candidates))
GATHER = Step("gather", TypeAdapter(Gathered))
CONFIRM = Step("confirm", TypeAdapter(Verdict))
FIX = Step("fix", TypeAdapter(FixPlan))


Conclusion = Callable[[Session, Diagnosis, FixPlan], None]
"""What is written together with the end of a diagnosis."""


def _conclude_silently(session: Session, diagnosis: Diagnosis, fix: FixPlan) -> None:
    pass


def run(
    incident_id: int, sources: DiagnosisSources, on_conclusion: Conclusion = _conclude_silently
) -> DiagnosisOutcome:
    """Diagnose an incident, or resume its running diagnosis.

    on_conclusion: called once per diagnosis, in the transaction that ends it, so that a diagnosis is never ended and
    not told, and never told twice.
    Raises storage's NotFoundError for an unknown incident. An error of the code host becomes evidence and does not stop
    the diagnosis; an error of the database does, and the next call resumes from the last checkpoint.
    """
    with sources.sessions.begin() as session:
        diagnosis = start_diagnosis(session, incident_id, now=sources.clock())
        diagnosis_id, saved = diagnosis.id, dict(diagnosis.checkpoints)
    progress = _Progress(diagnosis_id, saved, sources)
    described = progress.step(CHARACTERISE, lambda: _characterise(incident_id, sources))
    suspects = cache(lambda: find_suspects(observe(read_scene(described, sources), described)))
    hypotheses = progress.step(
        HYPOTHESISE, lambda: _hypothesise(described, sources, suspects()), _write_hypotheses
    ).hypotheses
    gathered = progress.step(
        GATHER,
        lambda: gather(described, hypotheses, sources, suspects()),
        lambda session, row, output: _write_evidence(session, row, output, now=sources.clock()),
    )
    verdict = progress.step(
        CONFIRM,
        lambda: confirm(described, hypotheses, gathered, read_calibration(sources.sessions)),
        _write_ranking,
    )
    fix = progress.step(
        FIX,
        lambda: plan_fix(verdict, hypotheses, gathered),
        lambda session, row, output: _conclude(session, row, verdict, output, on_conclusion, now=sources.clock()),
    )
    return _outcome(diagnosis_id, verdict, fix)


def verdict_of(diagnosis: Diagnosis) -> Verdict | None:
    """Return the verdict of a diagnosis; None before the fourth step, or if it cannot be read any more."""
    return _saved(CONFIRM, diagnosis)


def fix_of(diagnosis: Diagnosis) -> FixPlan | None:
    """Return the fix of a diagnosis; None before the fifth step, or if it cannot be read any more."""
    return _saved(FIX, diagnosis)


def _saved(step: Step[T], diagnosis: Diagnosis) -> T | None:
    if step.name not in diagnosis.checkpoints:
        return None
    try:
        return step.codec.validate_python(diagnosis.checkpoints[step.name])
    except ValidationError as error:
        log.warning("checkpoint_unreadable", step=step.name, diagnosis_id=diagnosis.id, exc_info=error)
        return None


def outcome_of(diagnosis: Diagnosis) -> DiagnosisOutcome | None:
    """Return the result of a diagnosis from its checkpoints; None while it runs."""
    if CONFIRM.name not in diagnosis.checkpoints or FIX.name not in diagnosis.checkpoints:
        return None
    verdict = CONFIRM.codec.validate_python(diagnosis.checkpoints[CONFIRM.name])
    return _outcome(diagnosis.id, verdict, FIX.codec.validate_python(diagnosis.checkpoints[FIX.name]))


def _outcome(diagnosis_id: int, verdict: Verdict, fix: FixPlan) -> DiagnosisOutcome:
    return DiagnosisOutcome(
        diagnosis_id=diagnosis_id,
        status=verdict.status,
        root_cause=verdict.root_cause,
        suspect_commit=verdict.suspect.sha if verdict.suspect else None,
        confidence=verdict.confidence,
        explanation=verdict.explanation,
        hypotheses=verdict.ranked,
        fix=fix,
        verdict=verdict,
    )


Writer = Callable[[Session, Diagnosis, T], T]


def _write_nothing_else(session: Session, diagnosis: Diagnosis, output: T) -> T:
    return output


@dataclass(frozen=True)
class _Progress:
    diagnosis_id: int
    saved: dict[str, Any]
    sources: DiagnosisSources

    def step(self, step: Step[T], work: Callable[[], T], write: Writer[T] = _write_nothing_else) -> T:
        """Return the step's saved output, or run the step and write its rows and its checkpoint.

        Return what another worker has written meanwhile, if so.
        """
        if step.name in self.saved:
            return step.codec.validate_python(self.saved[step.name])
        output = work()
        with self.sources.sessions.begin() as session:
            diagnosis = get_diagnosis(session, self.diagnosis_id)
            hold(session, diagnosis)
            if step.name in diagnosis.checkpoints:
                return step.codec.validate_python(diagnosis.checkpoints[step.name])
            output = write(session, diagnosis, output)
            save_checkpoint(session, diagnosis, step.name, step.codec.dump_python(output, mode="json"))
        return output


def _characterise(incident_id: int, sources: DiagnosisSources) -> Characterisation:
    with sources.sessions.begin() as session:
        incident = get_incident(session, incident_id)
        findings = [to_finding(record) for record in incident.findings]
        service, onset_at = incident.service, incident.onset_at.timestamp()
    return characterise(
        incident_id,
        findings,
        service=service,
        onset_at=onset_at,
        now=sources.clock().timestamp(),
        telemetry=sources.telemetry,
    )


def _hypothesise(described: Characterisation, sources: DiagnosisSources, suspects: Suspects) -> Candidates:
    deploys = [_with_repository(deploy, sources) for deploy in suspects.observed.scene.deploys]
    return Candidates(hypothesise(described, deploys, suspects))


def _with_repository(deploy: Deploy, sources: DiagnosisSources) -> Deploy:
    """Return the deploy with its repository, if one is known."""
    repository = deploy.repository or sources.service_repositories.get(deploy.service, "")
    return replace(deploy, repository=repository)


def _write_hypotheses(session: Session, diagnosis: Diagnosis, candidates: Candidates) -> Candidates:
    rows = [
        {
            "key": item.key,
            "cause": item.cause,
            "statement": item.statement,
            "parameters": item.parameters(),
            "prior": item.prior,
        }
        for item in candidates.hypotheses
    ]
    put_hypotheses(session, diagnosis, rows)
    return candidates


def _write_evidence(session: Session, diagnosis: Diagnosis, gathered: Gathered, *, now: datetime) -> Gathered:
    """Store the evidence; return it with the numbers by which it is cited."""
    numbered = [
        replace(
            item,
            number=add_evidence(
                session,
                diagnosis,
                hypothesis_key=item.hypothesis_key,
                query=item.query,
                source=item.source,
                result=item.result,
                data={"check": item.check, **item.data},
                outcome=str(item.outcome),
                weight=item.weight,
                now=now,
            ).number,
        )
        for item in gathered.evidence
    ]
    return replace(gathered, evidence=tuple(numbered))


def _write_ranking(session: Session, diagnosis: Diagnosis, verdict: Verdict) -> Verdict:
    rows = [{"key": item.key, "posterior": item.posterior, "status": item.status} for item in verdict.ranked]
    put_hypotheses(session, diagnosis, rows)
    return verdict


def _conclude(
    session: Session,
    diagnosis: Diagnosis,
    verdict: Verdict,
    fix: FixPlan,
    on_conclusion: Conclusion,
    *,
    now: datetime,
) -> FixPlan:
    conclude(
        session,
        diagnosis,
        status=verdict.status,
        root_cause=verdict.root_cause,
        suspect_commit=verdict.suspect.sha if verdict.suspect else None,
        confidence=verdict.confidence,
        now=now,
    )
    on_conclusion(session, diagnosis, fix)
    return fix

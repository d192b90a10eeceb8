"""The API models of a diagnosis: hypotheses, evidence, the chain, what was covered and what to do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from detection.chain import Chain, chain_graph, chain_line, path_of
from integrations.wording import plain
from storage.models import Diagnosis
from workers.diagnosis.pipeline import fix_of, verdict_of

Prose = Annotated[str, AfterValidator(plain)]
"""Text of ours, shown without its marks, with times in UTC."""


class Row(BaseModel):
    """The base of models that are filled from a database row or another object's attributes."""

    model_config = ConfigDict(from_attributes=True)


class HypothesisOut(Row):
    """A candidate cause and how likely the evidence left it."""

    key: str
    cause: str
    statement: Prose
    prior: float
    posterior: float | None
    status: str


class EvidenceOut(Row):
    """What one check found; `weight` is the logarithm of its likelihood ratio."""

    number: int
    hypothesis_key: str
    query: str
    source: str
    result: Prose
    outcome: str
    weight: float
    gathered_at: datetime


class ChainNodeOut(BaseModel):
    """A part of the system in the failure's chain."""

    name: str
    role: Literal["origin", "victim", "apart"] = Field(description="apart: it has trouble of its own.")
    rank: int = Field(description="Steps from the origin.")


class ChainEdgeOut(BaseModel):
    """The failure spread from the source to the target, whoever calls whom."""

    source: str
    target: str
    why: str


class ChainOut(BaseModel):
    """What failed first and how it spread."""

    line: str = Field(description="In one line: cart-db → cart → checkout.")
    nodes: list[ChainNodeOut]
    edges: list[ChainEdgeOut]
    confidence: float = Field(description="0 to 1, that the origin is right.")


class DiagnosisOut(Row):
    """One five-step run."""

    id: int
    status: str
    root_cause: Prose | None
    confidence: float | None
    suspect_commit: str | None
    no_change: bool = Field(description="Whether it is a conclusion that no change did it.")
    none_confidence: float | None = Field(
        description="0 to 1, that no change did it; null unless that is the conclusion. `confidence` is of the cause."
    )
    remedy: str | None = Field(description="The kind of remedy, such as rollback; null where the cause is not known.")
    what_to_do: str | None = Field(description="The remedy in words, with names.")
    coverage: Prose | None = Field(
        description="What was checked, was empty, could not be reached, is worth connecting."
    )
    chain: ChainOut | None
    steps_done: list[str]
    started_at: datetime
    finished_at: datetime | None
    hypotheses: list[HypothesisOut]
    evidence: list[EvidenceOut]


STEPS = ("characterise", "hypothesise", "gather", "confirm", "fix")


def diagnosis_out(row: Diagnosis) -> DiagnosisOut:
    """Return a diagnosis as the API gives it."""
    verdict, fix = verdict_of(row), fix_of(row)
    return DiagnosisOut(
        id=row.id,
        status=row.status,
        root_cause=row.root_cause,
        confidence=row.confidence,
        suspect_commit=row.suspect_commit,
        no_change=verdict is not None and verdict.no_change,
        none_confidence=(verdict.none_confidence or None) if verdict is not None and verdict.no_change else None,
        remedy=verdict.remedy if verdict is not None else None,
        what_to_do=fix.what_to_do if fix is not None else None,
        coverage=verdict.coverage or None if verdict is not None else None,
        chain=_chain(verdict.chain) if verdict is not None and verdict.chain is not None else None,
        steps_done=[step for step in STEPS if step in row.checkpoints],
        started_at=row.started_at,
        finished_at=row.finished_at,
        hypotheses=[HypothesisOut.model_validate(hypothesis) for hypothesis in row.hypotheses],
        evidence=[EvidenceOut.model_validate(evidence) for evidence in row.evidence],
    )


def _chain(chain: Chain) -> ChainOut:
    return ChainOut.model_validate(
        {"line": chain_line(chain.origin, path_of(chain), chain.victims), **chain_graph(chain)}
    )

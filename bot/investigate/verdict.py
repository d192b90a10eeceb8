"""The answer of a diagnosis, in the form of an investigation."""

from __future__ import annotations

from collections.abc import Iterator

from bot.investigate.answer import Investigation
from integrations.wording import plain
from storage.diagnoses import get_diagnosis
from workers.diagnosis.account import evidence_lines
from workers.diagnosis.causes.remedies import CHANGES, PARTIAL
from workers.diagnosis.model import UNKNOWN, DiagnosisOutcome, Ranked, Role, Verdict
from workers.services import Services

NONE = "none"
FLAG = "flag"
SURE_OF_NONE = 0.8
"""How sure it can be at most that no change did it, where what did it is not known."""


def answer_of(services: Services, outcome: DiagnosisOutcome) -> Investigation:
    """Return the answer; the case's name, its problems and its time are filled in by the caller."""
    verdict = outcome.verdict
    with services.readers() as session:
        diagnosis = get_diagnosis(session, outcome.diagnosis_id)
        hypotheses = diagnosis.hypotheses
        evidence = tuple(plain(line) for line in evidence_lines(diagnosis))
        shas = {item.key: str(item.parameters.get("commit_sha") or "") for item in hypotheses}
        services_of = {item.key: item.parameters.get("service") for item in hypotheses}
    origins = [item for item in verdict.ranked if item.role is Role.ORIGIN]
    origin = next((item for item in origins if item.key == verdict.origin_key), None)
    if verdict.suspect is not None and origin is not None:
        shas[origin.key] = verdict.suspect.sha
    chain = verdict.chain
    ranked = tuple(_ranked(origins, shas))
    outside = sum(item.posterior for item in origins if item.cause not in CHANGES)
    first = chain.origin if chain is not None else None
    if origin is not None and first is None:
        first = services_of.get(origin.key)
    is_open = origin is None or origin.cause in PARTIAL
    return Investigation(
        case="",
        root_cause_commit=_commit(origin, shas, verdict.no_change),
        confidence=round(min(outside, SURE_OF_NONE), 4) if is_open and verdict.no_change else verdict.confidence,
        ranked=ranked,
        cause=origin.cause if origin is not None else UNKNOWN,
        first_failing_service=first,
        blast_radius=chain.victims if chain is not None else (),
        remediation=verdict.remedy,
        what_to_do=outcome.fix.reason if outcome.fix.says_what_to_do else "",
        origin_service=chain.origin if chain is not None else None,
        propagation_path=tuple((link.source, link.target) for link in chain.links) if chain is not None else (),
        coverage=plain(verdict.coverage),
        story=tuple(plain(sentence) for sentence in verdict.explanation),
        raw_confidence=_raw(verdict, outside, is_named=origin is not None),
        evidence=evidence,
    )


def _raw(verdict: Verdict, outside: float, *, is_named: bool) -> float:
    """Return the confidence before calibration."""
    raw = verdict.confidence if verdict.raw_confidence is None else verdict.raw_confidence
    return raw if is_named else round(min(outside, raw or outside), 4)


def _commit(origin: Ranked | None, shas: dict[str, str], no_change: bool) -> str | None:
    if origin is not None and origin.cause == FLAG:
        # A flag is a change, but none of the code's, unless it switched new code on.
        return shas.get(origin.key) or NONE
    if origin is None or origin.cause not in CHANGES:
        return NONE if no_change else None
    return shas.get(origin.key) or None


def _ranked(origins: list[Ranked], shas: dict[str, str]) -> Iterator[tuple[str, float]]:
    for item in origins:
        if item.cause in CHANGES and (item.cause != FLAG or shas.get(item.key)):
            yield shas.get(item.key) or item.key, item.posterior
        elif item.key != UNKNOWN:
            yield NONE, item.posterior
        else:
            yield UNKNOWN, item.posterior

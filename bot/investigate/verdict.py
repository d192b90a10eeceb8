"""The answer of a diagnosis, in the form of an investigation."""

from __future__ import annotations

from bot.investigate.answer import Investigation
from integrations.wording import plain
from storage.diagnoses import get_diagnosis
from workers.diagnosis.account import evidence_lines
from workers.diagnosis.causes.remedies import CHANGES
from workers.diagnosis.model import UNKNOWN, DiagnosisOutcome, Ranked, Role
from workers.services import Services

NONE = "none"
FLAG = "flag"


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
    ranked = _ranked(origins, shas)
    first = chain.origin if chain is not None else None
    if origin is not None and first is None:
        first = services_of.get(origin.key)
    commit = _commit(origin, shas, verdict.no_change)
    is_none = commit == NONE
    return Investigation(
        case="",
        root_cause_commit=commit,
        confidence=verdict.none_confidence if is_none else verdict.confidence,
        ranked=ranked,
        cause=origin.cause if origin is not None else UNKNOWN,
        first_failing_service=first,
        blast_radius=chain.victims if chain is not None else (),
        remediation=verdict.remedy,
        what_to_do=outcome.fix.what_to_do or "",
        origin_service=chain.origin if chain is not None else None,
        propagation_path=tuple((link.source, link.target) for link in chain.links) if chain is not None else (),
        coverage=plain(verdict.coverage),
        story=tuple(plain(sentence) for sentence in verdict.explanation),
        raw_confidence=verdict.raw_none_confidence if is_none else verdict.raw_confidence or verdict.confidence,
        evidence=evidence,
        cause_confidence=verdict.confidence if origin is not None else 0.0,
        none_confidence=verdict.none_confidence if verdict.no_change else None,
    )


def _commit(origin: Ranked | None, shas: dict[str, str], no_change: bool) -> str | None:
    if origin is not None and origin.cause == FLAG:
        # A flag is a change, but none of the code's, unless it switched new code on.
        return shas.get(origin.key) or NONE
    if origin is None or origin.cause not in CHANGES:
        return NONE if no_change else None
    return shas.get(origin.key) or None


def _ranked(origins: list[Ranked], shas: dict[str, str]) -> tuple[tuple[str, float], ...]:
    """Return each answer once, likeliest first: causes that give the same one count together."""
    chances: dict[str, float] = {}
    for item in origins:
        if item.cause in CHANGES and (item.cause != FLAG or shas.get(item.key)):
            answer = shas.get(item.key) or item.key
        else:
            answer = UNKNOWN if item.key == UNKNOWN else NONE
        chances[answer] = chances.get(answer, 0.0) + item.posterior
    return tuple(sorted(chances.items(), key=lambda told: -told[1]))

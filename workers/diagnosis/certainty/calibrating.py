"""How sure a verdict may be called, by how earlier answers turned out."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session, sessionmaker

from detection.calibration import Calibration, fit
from storage.outcomes import judged_answers
from workers.diagnosis.model import UNKNOWN, Verdict


def read_calibration(sessions: sessionmaker[Session]) -> Calibration:
    """Return the calibration by all outcomes that are known now."""
    with sessions() as session:
        return fit(judged_answers(session))


def calibrated(verdict: Verdict, calibration: Calibration, *, cap: float, none: float, unseen: float = 0.0) -> Verdict:
    """Return the verdict with its confidence, which evidence alone gave, calibrated; never above `cap`.

    none: how sure the evidence alone is that no commit did it. unseen: how much evidence against it nobody could see,
    in nats, which comes off its log odds. The calibration is kept with the verdict, so that the same evidence gives
    the same answer whenever it is weighed again.
    """
    cause = cause_of(verdict)
    sure = calibration.of(verdict.confidence, cause, cap=cap, unseen=unseen)
    raw_none = round(min(none, 1.0), 4)
    return replace(
        verdict,
        confidence=sure.confidence,
        raw_confidence=verdict.confidence,
        none_confidence=calibration.of(raw_none, cause, cap=cap, unseen=unseen).confidence,
        raw_none_confidence=raw_none,
        sure=sure,
        unseen=unseen,
        calibration=calibration,
    )


def cause_of(verdict: Verdict) -> str:
    """Return the kind of the cause that is named, such as "deploy"; "unknown" if none is."""
    return next((item.cause for item in verdict.ranked if item.key == verdict.origin_key), UNKNOWN)

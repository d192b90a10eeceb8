"""The API of how far a confidence can be believed, as `argux calibration` prints it."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from bot.auth import Operator
from bot.calibration import Figures, ScopeReport, read_reports
from bot.dependencies import InjectedServices
from detection.statistics.reliability import ReliabilityBin

router = APIRouter(prefix="/calibration", tags=["Calibration"])


class FiguresOut(BaseModel):
    """How good confidences are, 0 is best; null without answers."""

    expected_calibration_error: float | None
    brier: float | None


class BinOut(BaseModel):
    """Some answers of similar confidence, and the share of them that was right with its Wilson interval (95 %)."""

    answers: int
    mean_confidence: float
    share_right: float
    low: float
    high: float


class CalibrationOut(BaseModel):
    """The answers of one kind of cause, or of all kinds."""

    cause: str | None = Field(description="Null: all kinds of causes together.")
    outcomes: int = Field(description="Answers of which is known whether they were right.")
    right: int
    low: float = Field(description="The Wilson interval (95 %) of the share that was right, with `high`.")
    high: float
    method: str = Field(description="prior: the stated table; platt; isotonic.")
    is_own_curve: bool = Field(description="Whether this kind has a curve of its own.")
    curve: list[tuple[float, float]] = Field(description="(raw, calibrated) confidences, linear in between.")
    raw: FiguresOut = Field(description="Of what the evidence alone gave.")
    told: FiguresOut = Field(description="Of what people were told.")
    held_out: FiguresOut = Field(description="Of what the curve says of answers that it has not seen, five-fold.")
    bins: list[BinOut] = Field(description="The reliability of the held-out confidences.")


@router.get("", summary="Read the calibration")
def read(services: InjectedServices, operator: Operator) -> list[CalibrationOut]:
    """How often answers of each confidence were right: first over all, then for each kind of cause."""
    return [_out(report) for report in read_reports(services)]


def _out(report: ScopeReport) -> CalibrationOut:
    return CalibrationOut(
        cause=report.cause,
        outcomes=report.outcomes,
        right=report.right,
        low=report.low,
        high=report.high,
        method=str(report.curve.method),
        is_own_curve=report.is_own_curve,
        curve=list(report.curve.points),
        raw=_figures(report.raw),
        told=_figures(report.told),
        held_out=_figures(report.held_out),
        bins=[_bin(one) for one in report.bins],
    )


def _figures(figures: Figures) -> FiguresOut:
    return FiguresOut(expected_calibration_error=figures.calibration_error, brier=figures.brier)


def _bin(one: ReliabilityBin) -> BinOut:
    return BinOut(
        answers=one.count,
        mean_confidence=one.mean_probability,
        share_right=one.share_right,
        low=one.low,
        high=one.high,
    )

"""What `argux calibration` prints: how often answers of each confidence were right, and by which curve it is said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.calibration import Figures, ScopeReport, read_reports
from bot.commands.calibration_chart import calibration_chart
from bot.commands.errors import CommandError
from bot.terminal import shown
from detection.calibration import LEAST_FOR_ISOTONIC, LEAST_FOR_PLATT, Method
from detection.statistics.reliability import ReliabilityBin
from integrations.charts import render_png
from integrations.errors import RetryableError
from workers.services import Services

NOTHING_YET = f"""No outcomes are known yet, so each confidence is shrunk by the stated table (docs/calibration.md).
Outcomes come from Right and Wrong under a diagnosis, from `/argux cause ID right|wrong`, from re-tests after a fix, and
from `argux investigate FOLDER … --learn` with a truth.json in each folder. From {LEAST_FOR_PLATT} on, they decide."""

_METHODS = {Method.PRIOR: "stated table", Method.PLATT: "Platt scaling", Method.ISOTONIC: "isotonic curve"}
METHODS_LEGEND = (
    f"The stated table holds until {LEAST_FOR_PLATT} outcomes, Platt scaling until {LEAST_FOR_ISOTONIC}, then an "
    f"isotonic curve; a kind of cause has its own from {LEAST_FOR_PLATT} outcomes of its kind on."
)


def run(services: Services, console: Console, *, chart: Path | None) -> None:
    """Print the reliability over all and by kind of cause; draw the curve into `chart`, a PNG file, if given."""
    reports = read_reports(services)
    everything = reports[0]
    if not everything.outcomes:
        console.print(NOTHING_YET)
    else:
        _print(reports, console)
    if chart is not None:
        _draw(everything, chart)
        console.print(f"The curve is in {chart}.", markup=False, highlight=False)


def _print(reports: Sequence[ScopeReport], console: Console) -> None:
    console.print(_kinds(reports))
    console.print(METHODS_LEGEND)
    console.print(_figures(reports[0]))
    for report in reports:
        if report.is_own_curve:
            name = shown(report.cause) if report.cause is not None else "all kinds"
            console.print(f"\nHow often answers of a confidence were right, {name} (held out, five-fold):")
            console.print(_reliability(report.bins))


def _kinds(reports: Sequence[ScopeReport]) -> Table:
    table = Table("cause", "outcomes", "right", "95 % interval", "confidence by")
    for report in reports:
        method = _METHODS[report.curve.method] if report.is_own_curve else "that of all kinds"
        table.add_row(
            shown(report.cause) if report.cause is not None else "all kinds",
            f"{report.outcomes:,}",
            _percent(report.share_right),
            _interval(report.low, report.high),
            method,
        )
    return table


def _figures(report: ScopeReport) -> Table:
    table = Table("confidence", "calibration error (ECE)", "Brier score")
    for name, figures in (
        ("as the evidence alone gave it", report.raw),
        ("as people were told", report.told),
        ("as the curve says it, held out", report.held_out),
    ):
        table.add_row(name, *_numbers(figures))
    return table


def _reliability(bins: Sequence[ReliabilityBin]) -> Table:
    table = Table("said", "answers", "were right", "95 % interval")
    for one in bins:
        table.add_row(
            _percent(one.mean_probability), f"{one.count:,}", _percent(one.share_right), _interval(one.low, one.high)
        )
    return table


def _numbers(figures: Figures) -> tuple[str, str]:
    both = (figures.calibration_error, figures.brier)
    error, score = ("not known" if value is None else f"{value:.3f}" for value in both)
    return error, score


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _interval(low: float, high: float) -> str:
    return f"{100 * low:.0f} to {100 * high:.0f} %"


def _draw(report: ScopeReport, chart: Path) -> None:
    """Write the picture. Raises CommandError where it cannot be drawn or written."""
    try:
        chart.write_bytes(render_png(calibration_chart(report)))
    except RetryableError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{chart} cannot be written: {error.strerror}.") from error

"""How a file was read, in words: its series, their grain and coverage, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from bot.backtest.reading.grain import Coverage, Part, coverage_of
from bot.backtest.reading.history import FunnelHistory, History, HistoryFile
from bot.backtest.shown_zone import ShownZone
from workers.words.text import counted

_UNITS = ((86_400.0, "day"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (0.001, "ms"))
_MOST_LINES, _MOST_NAMED = 12, 3
"""The most lines about series, and the most series that one line names."""


def reading_lines(read: HistoryFile) -> Iterator[str]:
    """Yield what there is to say about the file: notes, rows that stand for others, and what was left out."""
    yield from read.notes
    repeated = sum(one.repeated for one in read.series)
    if repeated:
        rows = "1 row" if repeated == 1 else f"{repeated:,} rows"
        yield f"{rows} said again what another had said, and counted once."
    yield from _replaced_lines(read.series)
    sentences = read.left_out.sentences()
    if sentences:
        lines = len(read.left_out.lines)
        yield f"Left out, from {counted(lines, 'line')} of {read.left_out.rows:,}:"
        yield from (f"- {sentence}" for sentence in sentences)


def _replaced_lines(series: Sequence[History | FunnelHistory]) -> Iterator[str]:
    for averaged in (False, True):
        count = sum(one.replaced for one in series if getattr(one, "averaged", False) is averaged)
        if count:
            rows = "1 row gave" if count == 1 else f"{count:,} rows gave"
            what = "they were averaged" if averaged else "the last one in the file was kept"
            yield f"{rows} another value for a time that had one; {what}."
            if _may_be_clocks_put_back(series):
                yield "They lie in one hour, as where clocks are put back: name the zone of the times with --zone."


def _may_be_clocks_put_back(series: Sequence[History | FunnelHistory]) -> bool:
    """Return whether about as many values came twice in each series as an hour has."""
    one = series[0]
    return 0 < one.step < 3600 and one.replaced == round(3600 / one.step) and len(one.times) > 24 * one.replaced


def series_lines(names: Sequence[str], series: Sequence[History | FunnelHistory], zone: ShownZone) -> Iterator[str]:
    """Yield a line for the series of the same points, time and coverage. names: of the series."""
    alike: dict[str, list[str]] = {}
    for name, one in zip(names, series, strict=True):
        words = f"{points_text(one)}, {span_text(one, zone)}. {coverage_text(coverage_of(one.times), zone)}"
        alike.setdefault(words, []).append(name)
    for words, of_them in list(alike.items())[:_MOST_LINES]:
        more = f" and {len(of_them) - _MOST_NAMED:,} more" if len(of_them) > _MOST_NAMED else ""
        each = "each " if len(of_them) > 1 else ""
        yield f"{', '.join(of_them[:_MOST_NAMED])}{more}: {each}{words}"
    rest = sum(map(len, list(alike.values())[_MOST_LINES:]))
    if rest:
        yield f"… and {rest:,} more series."


def points_text(history: History | FunnelHistory) -> str:
    """Return such as `2,016 points in ms` or `336 rows`."""
    if isinstance(history, FunnelHistory):
        return counted(len(history.times), "row")
    return counted(len(history.times), "point") + (f" in {history.unit}" if history.unit else "")


def coverage_text(coverage: Coverage, zone: ShownZone) -> str:
    """Return such as `One point every 5 min; 99 of 104 expected points; 3 gaps, the longest 2 h from …`."""
    if not coverage.step:
        return "A single point has no grain."
    begin = "One point" if coverage.regular else "Irregular: about one point"
    share = coverage.present / coverage.expected
    shown = "" if share == 1 else f" ({min(share, 0.999):.1%})"
    of_expected = f"{coverage.present:,} of {coverage.expected:,} expected points{shown}"
    text = f"{begin} every {step_text(coverage.step)}; {of_expected}"
    return f"{text}; {_gaps_text(coverage, zone)}{_parts_text(coverage.parts, zone)}."


def _gaps_text(coverage: Coverage, zone: ShownZone) -> str:
    if coverage.longest is None:
        return "no gap"
    lasts, began = step_text(coverage.longest.missing), zone.text(coverage.longest.began)
    if coverage.gaps == 1:
        return f"1 gap of {lasts} from {began}"
    return f"{coverage.gaps:,} gaps, the longest {lasts} from {began}"


def _parts_text(parts: Sequence[Part], zone: ShownZone) -> str:
    """Return the parts in another grain, such as `; but every 5 min from … to …`."""
    if not parts:
        return ""
    longest = max(parts, key=lambda part: part.ended - part.began)
    text = f"; but every {step_text(longest.step)} from {zone.text(longest.began)} to {zone.text(longest.ended)}"
    return text if len(parts) == 1 else f"{text}, and {len(parts) - 1:,} more such parts"


def step_text(seconds: float) -> str:
    """Return a step or a gap in one or two units, such as `5 min`, `1 day`, `1 h 30 min`, `250 ms`."""
    for (size, name), (smaller, smaller_name) in pairwise(_UNITS):
        fine = round(seconds / smaller)
        whole, rest = divmod(fine, round(size / smaller))
        if whole:
            text = f"{whole:,} {name}" + ("s" if name == "day" and whole > 1 else "")
            return f"{text} {rest} {smaller_name}" if rest and whole < 10 else text
    return f"{seconds * 1000:.3g} ms"


def span_text(history: History | FunnelHistory, zone: ShownZone) -> str:
    """Return the time of the first and of the last point."""
    return f"{zone.text(history.times[0])} to {zone.text(history.times[-1])} {zone.name}"

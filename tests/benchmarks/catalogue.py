"""The catalogue of benchmarks and their figures, and the selection by name."""

from __future__ import annotations

from collections.abc import Mapping

BENCHMARKS: dict[str, tuple[str, ...]] = {
    "funnel_oracle": ("funnel_oracle",),
    "nab": ("nab_standard", "nab_low_fp", "nab_windows_found", "nab_false_alarms"),
    "quiet_metrics": ("metric_false_alarms", "metric_delay_points"),
    "loghub": ("loghub_ga", "loghub_ga_worst", "loghub_ga_first", "loghub_lines_per_s"),
    "rs_segments": ("rs_f1", "rs_hit3", "rs_ms"),
    "drops": ("drop_recall", "drop_false_alarms"),
    "endpoints": ("endpoint_false_alarms", "endpoint_delay_s"),
    "endpoint_outages": ("endpoint_outage_false_alarms", "endpoint_outage_delay_s"),
    "ticks": ("tick_10k_s", "tick_history_ratio"),
    "metric_ticks": ("metric_tick_10k_s",),
    "ingest": ("ingest_batch_share", "ingest_single_share", "hot_mb_per_million"),
    "under_load": tuple(
        f"{database}_{load}_{figure}_s"
        for database in ("sqlite", "postgresql")
        for load in ("50", "200", "1000", "batches")
        for figure in ("alert", "lag")
    ),
    "alert_storm": tuple(
        f"{database}_storm_{figure}"
        for database in ("sqlite", "postgresql")
        for figure in ("door_p99_ms", "diagnoses", "done_s")
    ),
    "deadlocks": ("deadlocks", "deadlocks_clicks", "deadlocks_ticks", "deadlocks_verifications"),
    "slash_ack": ("slash_ack_p99_ms",),
    "idle_memory": ("idle_memory_mb",),
}
"""Each module of this folder with a `run(data: Path) -> Iterator[Figure]`, and the figures it yields, in order."""


class UnknownNameError(ValueError):
    """A word that is no name of a benchmark or figure and no prefix of one; the message lists the names."""


def chosen(only: str, catalogue: Mapping[str, tuple[str, ...]] = BENCHMARKS) -> dict[str, frozenset[str]]:
    """Return the selected figures by benchmark of the catalogue; everything if `only` is empty.

    only: words joined by commas, each the name of a benchmark (all its figures), the name of a figure, or a prefix of
    names. Raises UnknownNameError.
    """
    words = [word.strip() for word in only.split(",") if word.strip()]
    wanted = {figure for word in words for figure in _named(word, catalogue)}
    return {
        benchmark: frozenset(figures) & wanted if words else frozenset(figures)
        for benchmark, figures in catalogue.items()
        if not words or wanted & set(figures)
    }


def _named(word: str, catalogue: Mapping[str, tuple[str, ...]]) -> set[str]:
    every = {figure for figures in catalogue.values() for figure in figures}
    if word in catalogue:
        return set(catalogue[word])
    if word in every:
        return {word}
    begun = {figure for name, figures in catalogue.items() if name.startswith(word) for figure in figures}
    begun |= {figure for figure in every if figure.startswith(word)}
    if not begun:
        raise UnknownNameError(f"There is no benchmark or figure {word!r}. There are:\n{_listed(catalogue)}")
    return begun


def _listed(catalogue: Mapping[str, tuple[str, ...]]) -> str:
    width = max(map(len, catalogue)) + 2
    return "\n".join(f"  {name:<{width}}{', '.join(figures)}" for name, figures in catalogue.items())

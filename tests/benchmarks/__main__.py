"""`make bench`: every figure as one JSON line, each against a peer or a bound measured in the same run.

`make bench ONLY=slash_ack,idle` runs those whose figures' names begin so; `DATA=DIR` names the folder of public data
sets (../shared/data unless told otherwise).
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

BENCHMARKS: dict[str, tuple[str, ...]] = {
    "slash_ack": ("slash_ack_p99_ms",),
    "idle_memory": ("idle_memory_mb",),
    "ticks": ("tick_10k_s", "tick_history_ratio"),
    "ingest": ("ingest_batch_share", "ingest_single_share", "hot_mb_per_million"),
    "nab": ("nab_standard", "nab_low_fp"),
    "loghub": ("loghub_ga", "loghub_lines_per_s"),
    "funnel_oracle": ("funnel_oracle",),
    "rs_segments": ("rs_f1", "rs_hit3", "rs_ms"),
    "drops": ("drop_recall", "drop_false_alarms"),
    "endpoints": ("endpoint_false_alarms", "endpoint_delay_s"),
    "nezha": ("nezha_as1", "nezha_as3"),
}
"""Each module of this folder with a `run(data: Path) -> Iterator[Figure]`, and the names of its figures."""


def chosen(only: str) -> list[str]:
    """The modules with a figure whose name begins with one of the comma-separated words; all for none."""
    words = [word.strip() for word in only.split(",") if word.strip()]
    return [
        module
        for module, names in BENCHMARKS.items()
        if not words or any(name.startswith(word) for name in names for word in words)
    ]


def main(arguments: list[str]) -> int:
    """Run what was asked for; 1 when a figure does not keep its bound, 2 when nothing has such a name."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", default="")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2].parent / "shared" / "data")
    options = parser.parse_args(arguments)
    modules = chosen(options.only)
    if not modules:
        names = ", ".join(name for group in BENCHMARKS.values() for name in group)
        print(f"No figure's name begins with {options.only!r}. There are: {names}", file=sys.stderr)
        return 2
    held = True
    for module in modules:
        for figure in importlib.import_module(f"tests.benchmarks.{module}").run(options.data):
            print(figure.line(), flush=True)
            held = held and figure.holds
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

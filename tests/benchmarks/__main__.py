"""`make bench`: print every figure as one JSON line, with a peer measured in the same run and a bound.

`make bench ONLY=nab,rs_ms` measures only these benchmarks and figures; `DATA=DIR` sets the folder of public data sets
(default: ../shared/data). Standard output holds only the figures. docs/benchmarks.md explains each of them.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TextIO

from tests.benchmarks.catalogue import UnknownNameError, chosen
from tests.benchmarks.figures import Figure, NothingToMeasureError

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def main(arguments: list[str]) -> int:
    """Run the requested benchmarks and return the exit code.

    0 if every figure that could be measured keeps its bound; 1 if one does not, if a benchmark failed, or if there was
    nothing to measure; 2 if a name in --only is unknown.
    """
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", default="")
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args(arguments)
    try:
        benchmarks = chosen(options.only)
    except UnknownNameError as error:
        print(error, file=sys.stderr)
        return 2
    with only_figures_on_stdout() as out:
        kept = [held for name, wanted in benchmarks.items() for held in _run(name, wanted, options.data, out)]
    return 0 if kept and all(kept) else 1


def _run(benchmark: str, wanted: frozenset[str], data: Path, out: TextIO) -> Iterator[bool]:
    """Print the benchmark's wanted figures as they come; yield whether each keeps its bound, and False if it failed."""
    began = time.monotonic()
    try:
        for figure in _figures(benchmark, wanted, data):
            print(figure.line(), file=out, flush=True)
            yield figure.holds
    except NothingToMeasureError as error:
        print(f"{benchmark}: {error}; left out: {', '.join(sorted(wanted))}", file=sys.stderr)
    except Exception:  # noqa: BLE001 whatever goes wrong in one benchmark, the others are still measured
        traceback.print_exc()
        print(f"{benchmark}: failed, as shown above; the run goes on", file=sys.stderr)
        yield False
    else:
        print(f"{benchmark}: {time.monotonic() - began:.0f} s", file=sys.stderr)


def _figures(benchmark: str, wanted: frozenset[str], data: Path) -> Iterator[Figure]:
    """Yield the wanted figures; stop measuring after the last of them."""
    missing = set(wanted)
    with closing(importlib.import_module(f"tests.benchmarks.{benchmark}").run(data)) as figures:
        for figure in figures:
            if figure.name in missing:
                missing.remove(figure.name)
                yield figure
            if not missing:
                return
    raise NothingToMeasureError(f"nothing to measure {', '.join(sorted(missing))} on")


@contextmanager
def only_figures_on_stdout() -> Iterator[TextIO]:
    """Yield the real stdout; all other output of this process and its children to stdout goes to stderr."""
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    try:
        with os.fdopen(own, "w", encoding="utf-8", closefd=False) as out:
            yield out
    finally:
        sys.stdout.flush()
        os.dup2(own, 1)
        os.close(own)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

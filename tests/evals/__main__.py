"""`make evals`: how good the answers of the product are, one JSON line a figure. No network, no language model.

`ONLY=chain,injection` measures only these suites, arms and figures; `DATA=DIR` is the folder of the public suites
(default: ../shared/data/incidents; Nezha lies beside it); `ANSWERS=FILE` gets one JSON line a case; `SCORE=FILE` marks
such lines of an earlier run and asks nothing. Standard output holds only the figures. docs/evaluation.md explains them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.__main__ import only_figures_on_stdout
from tests.benchmarks.catalogue import UnknownNameError, chosen
from tests.benchmarks.figures import NothingToMeasureError
from tests.evals.answers_file import AnswersFile, read_answers
from tests.evals.arms import guilty_away, injection, no_fault, source_outage
from tests.evals.catalogue import ARMS, EVALS, SUITES
from tests.evals.figures import EvalFigure
from tests.evals.report import figures_of, figures_of_all
from tests.evals.run import Run
from tests.evals.scenarios.generate import SEEDS
from tests.evals.seam import Ask, answers

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "incidents"
_ARMS = {
    "no_fault": no_fault.run,
    "guilty_away": guilty_away.run,
    "source_outage": source_outage.run,
    "injection": injection.run,
}


def main(arguments: list[str], ask: Ask = answers) -> int:
    """Run the requested suites and arms and return the exit code.

    0 if every figure with a bound keeps it; 1 if one does not, if something failed, or if there was nothing to
    measure and to answer; 2 if a name in --only is unknown or the file in --score cannot be read.
    """
    parser = argparse.ArgumentParser(prog="make evals")
    parser.add_argument("--only", default="")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--answers", type=Path, default=None)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--score", type=Path, default=None)
    options = parser.parse_args(arguments)
    try:
        wanted = chosen(options.only, EVALS)
        recorded = None if options.score is None else read_answers(options.score)
    except (UnknownNameError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="argux-evals-") as scratch, only_figures_on_stdout() as out:
        run = Run(ask, options.data, Path(scratch), options.seeds, AnswersFile(options.answers), recorded=recorded)
        # Only the product itself can be handed to another process.
        run.processes = (os.cpu_count() or 1) if ask is answers else 1
        measured, failed = 0, False
        for part, names in wanted.items():
            try:
                for figure in _figures(part, run):
                    if figure.name in names:
                        print(figure.line(), file=out, flush=True)
                        measured, failed = measured + 1, failed or figure.holds is False
            except NothingToMeasureError as error:
                print(f"{part}: {error}; left out: {', '.join(sorted(names))}", file=sys.stderr)
            except Exception:  # noqa: BLE001 whatever goes wrong in one suite, the others are still measured
                traceback.print_exc()
                print(f"{part}: failed, as shown above; the run goes on", file=sys.stderr)
                failed = True
        if run.crashed:
            print(f"investigations that failed: {', '.join(run.crashed)}", file=sys.stderr)
        measured += run.answers_file.written
    return 0 if measured and not failed and not run.crashed else 1


def _figures(part: str, run: Run) -> Iterator[EvalFigure]:
    began = time.monotonic()
    if part in SUITES:
        yield from figures_of(part, run.marks(part))
        print(f"{part} passed: {run.by_group(part)}", file=sys.stderr)
    elif part in ARMS:
        if run.recorded is not None:
            raise NothingToMeasureError("an arm asks the product, and recorded answers are only marked")
        yield from _ARMS[part](run)
    else:
        _ask_every_suite(run)
        yield from figures_of_all(run.every_mark())
    print(f"{part}: {time.monotonic() - began:.0f} s", file=sys.stderr)


def _ask_every_suite(run: Run) -> None:
    for suite in SUITES:
        try:
            run.marks(suite)
        except NothingToMeasureError as error:
            print(f"{suite}: {error}; not in the figures over all", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""One run of the evaluation: it asks each question once, and remembers the marks for the figures over all suites."""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.figures import NothingToMeasureError
from tests.evals import nezha
from tests.evals.answers_file import AnswersFile, Recorded
from tests.evals.cases import Case, read_suite, sealed
from tests.evals.catalogue import SUITES
from tests.evals.graders import chain, root_cause, scenario, triage
from tests.evals.marks import Mark
from tests.evals.plain_answer import PlainAnswer
from tests.evals.scenarios.generate import KINDS, scenarios
from tests.evals.seam import Answer, Ask

GRADERS: dict[str, Callable[[Case, Answer], Mark]] = {
    "root_cause": root_cause.grade,
    "chain": chain.grade,
    "triage": triage.grade,
    "nezha": nezha.grade,
    "scenarios": scenario.grade,
}


def asked(ask: Ask, case: Case, without: frozenset[str], scratch: Path) -> Answer | str:
    """Return the product's answer to a case without its truth, or how the investigation failed."""
    try:
        with tempfile.TemporaryDirectory(dir=scratch) as place:
            return ask(sealed(case, Path(place)), without=without)
    except Exception:  # noqa: BLE001 whatever one case does, the others are still asked
        return traceback.format_exc()


@dataclass(slots=True)
class Run:
    """ask: the product. data: the public suites. scratch: for scenarios. seeds: variants of each of `kinds`.

    recorded: answers of an earlier run, which are marked; then nothing is asked. None: the product is asked.
    processes: how many ask at once where the seconds do not count.
    """

    ask: Ask
    data: Path
    scratch: Path
    seeds: int
    answers_file: AnswersFile
    kinds: tuple[str, ...] = tuple(KINDS)
    recorded: Recorded | None = None
    processes: int = 1
    crashed: list[str] = field(default_factory=list)
    _answers: dict[tuple[Path, frozenset[str]], Answer] = field(default_factory=dict)
    _marks: dict[str, list[Mark]] = field(default_factory=dict)

    def answer(self, case: Case, without: frozenset[str] = frozenset()) -> Answer:
        """Return the product's answer, which never sees the truth; one that fails is told, and abstains."""
        if (case.folder, without) not in self._answers:
            self._keep(case, without, asked(self.ask, case, without, self.scratch))
        return self._answers[case.folder, without]

    def ask_ahead(self, questions: Iterable[tuple[Case, frozenset[str]]]) -> None:
        """Ask many questions in several processes at once; only where nobody looks at the seconds that one takes."""
        new = [(case, without) for case, without in questions if (case.folder, without) not in self._answers]
        if self.processes < 2:
            return
        with ProcessPoolExecutor(self.processes) as pool:
            running = [pool.submit(asked, self.ask, case, without, self.scratch) for case, without in new]
            for (case, without), future in zip(new, running, strict=True):
                self._keep(case, without, future.result())

    def _keep(self, case: Case, without: frozenset[str], answer: Answer | str) -> None:
        """Remember an answer; one that is the account of a failure is told, and counts as an abstention."""
        if isinstance(answer, str):
            print(answer, file=sys.stderr)
            print(f"{case.suite}/{case.name}: the investigation failed, as shown above", file=sys.stderr)
            self.crashed.append(f"{case.suite}/{case.name}")
            answer = PlainAnswer(case=case.name)
        self._answers[case.folder, without] = answer

    def marks(self, suite: str) -> list[Mark]:
        """Return the marks of a suite. Raises NothingToMeasureError if its data or its truths are not there."""
        if suite not in self._marks:
            found = []
            for case, answer in self._answered(suite):
                self.answers_file.add(case, answer)
                if case.truth:
                    found.append(GRADERS[suite](case, answer))
                    self._tell(found[-1])
            self._marks[suite] = found
        if not self._marks[suite]:
            raise NothingToMeasureError("the cases are answered, but there is no truth.json beside them")
        return self._marks[suite]

    def _answered(self, suite: str) -> Iterator[tuple[Case, Answer]]:
        """Yield the cases with their answers: those of the product, or those of the earlier run that are there."""
        if self.recorded is None:
            yield from ((case, self.answer(case)) for case in self.cases(suite))
            return
        if not any(of == suite for of, _ in self.recorded):
            raise NothingToMeasureError("the file that is scored holds no answer of it")
        for case in self.cases(suite):
            if (suite, case.name) in self.recorded:
                yield case, self.recorded[suite, case.name]

    def cases(self, suite: str) -> Iterator[Case]:
        """Yield the cases of a suite."""
        if suite == "scenarios":
            return scenarios(self.scratch / "scenarios", self.seeds, self.kinds)
        if suite == "nezha":
            return nezha.cases(self.data.parent / "nezha", self.scratch / "nezha")
        return read_suite(self.data / suite, suite)

    def every_mark(self) -> list[Mark]:
        """Return the marks of every suite that was asked in this run."""
        return [mark for suite in SUITES for mark in self._marks.get(suite, ())]

    def by_group(self, suite: str) -> str:
        """Return how many cases of each group passed, in words, the worst first."""
        groups: dict[str, list[bool]] = {}
        for mark in self._marks.get(suite, ()):
            groups.setdefault(mark.case.group.removeprefix(f"{suite}/"), []).append(mark.passed)
        worst_first = sorted(groups.items(), key=lambda item: sum(item[1]) / len(item[1]))
        return ", ".join(f"{group} {sum(passed)} of {len(passed)}" for group, passed in worst_first)

    def _tell(self, mark: Mark) -> None:
        answer, verdict = mark.answer, "passed" if mark.passed else "FAILED"
        said = f"{answer.root_cause_commit or answer.origin_service} at {answer.confidence:.2f}, {answer.cause}"
        print(f"{mark.case.suite}/{mark.case.name}: {verdict}; {said}; {answer.seconds:.1f} s", file=sys.stderr)

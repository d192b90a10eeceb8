"""The cases of a suite: a folder each, with the true answer in its truth.json where that is known."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import NothingToMeasureError

ALERT, PAGES, TRUTH = "alert.json", "pages.json", "truth.json"


@dataclass(frozen=True, slots=True)
class Case:
    """One exported incident. group: cases of one group are alike, and are never apart in a cross-validation.

    truth: empty if it is not known; such a case is answered, but not marked.
    """

    suite: str
    name: str
    folder: Path
    truth: Mapping[str, Any]
    group: str


def read_suite(folder: Path, suite: str) -> Iterator[Case]:
    """Yield the cases of `folder` by name. Raises NothingToMeasureError if there is none."""
    folders = sorted({path.parent for name in (ALERT, PAGES, TRUTH) for path in folder.glob(f"*/{name}")})
    if not folders:
        raise NothingToMeasureError(f"no folder with an {ALERT} or {PAGES} in {folder}")
    for one in folders:
        yield read_case(one, suite, group=f"{suite}/{one.name}")


def read_case(folder: Path, suite: str, group: str) -> Case:
    """Read the case in `folder`."""
    path = folder / TRUTH
    truth = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return Case(suite, folder.name, folder, truth, group)


def sealed(case: Case, scratch: Path) -> Path:
    """Copy the case without its truth to a folder of the same name below `scratch`, and return it."""
    target = scratch / case.folder.name
    shutil.copytree(case.folder, target, ignore=shutil.ignore_patterns(TRUTH))
    return target

"""The cases of a suite: a folder each, with the true answer in its truth.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import NothingToMeasureError


@dataclass(frozen=True, slots=True)
class Case:
    """One exported incident. group: cases of one group are alike, and are never apart in a cross-validation."""

    suite: str
    name: str
    folder: Path
    truth: Mapping[str, Any]
    group: str


def read_suite(folder: Path, suite: str) -> Iterator[Case]:
    """Yield the cases of `folder` by name. Raises NothingToMeasureError if there is none."""
    truths = sorted(folder.glob("*/truth.json"))
    if not truths:
        raise NothingToMeasureError(f"no folder with a truth.json in {folder}")
    for path in truths:
        yield read_case(path.parent, suite, group=f"{suite}/{path.parent.name}")


def read_case(folder: Path, suite: str, group: str) -> Case:
    """Read the case in `folder`."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return Case(suite, folder.name, folder, truth, group)

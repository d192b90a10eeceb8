"""The one door through which the evaluation asks the product."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, cast

SOURCES = (
    "logs",
    "metrics",
    "traces",
    "commits",
    "deploys",
    "flags",
    "service_map",
    "events",
    "status_feed",
    "patterns",
)
"""What an investigation can be told to do without."""


class Answer(Protocol):
    """What an investigation answers; `bot.investigate.answer.Investigation` is it."""

    @property
    def case(self) -> str: ...
    @property
    def root_cause_commit(self) -> str | None: ...
    @property
    def confidence(self) -> float: ...
    @property
    def ranked(self) -> tuple[tuple[str, float], ...]: ...
    @property
    def cause(self) -> str: ...
    @property
    def first_failing_service(self) -> str | None: ...
    @property
    def blast_radius(self) -> tuple[str, ...]: ...
    @property
    def remediation(self) -> str | None: ...
    @property
    def origin_service(self) -> str | None: ...
    @property
    def propagation_path(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def decisions(self) -> Mapping[str, str]: ...
    @property
    def coverage(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def problems(self) -> tuple[str, ...]: ...
    @property
    def story(self) -> tuple[str, ...]: ...


class Ask(Protocol):
    """Investigates a folder without the named sources."""

    def __call__(self, folder: Path, *, without: frozenset[str] = frozenset()) -> Answer: ...


def answers(folder: Path, *, without: frozenset[str] = frozenset()) -> Answer:
    """Investigate the exported incident in `folder` as `argux investigate` does: production's five steps."""
    product = cast(Ask, importlib.import_module("bot.investigate.run").investigate)
    return product(folder, without=without)

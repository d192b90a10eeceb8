"""What is measured is what users run: the code behind every figure is reached from the workers or the bot."""

from __future__ import annotations

import ast
from pathlib import Path

import grimp
import pytest

from tests.benchmarks.catalogue import BENCHMARKS

ROOT = Path(__file__).parents[3]
FLOORS = ("bot", "workers", "detection", "integrations", "storage")
STARTED_BY_NAME = ("storage.migrations", "integrations.local", "integrations.chart_renderer")
"""The migrations, which Alembic loads; the local workspace and the renderer, which are processes of their own."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("bot", "workers", "detection", "integrations", "storage", cache_dir=None)


def reached_from(graph: grimp.ImportGraph, floors: tuple[str, ...]) -> set[str]:
    """Return every module that the modules of these floors import, at first or at second hand."""
    waiting = [module for module in graph.modules if module.partition(".")[0] in floors]
    reached = set(waiting)
    while waiting:
        for module in graph.find_modules_directly_imported_by(waiting.pop()) - reached:
            reached.add(module)
            waiting.append(module)
    return reached


def benchmark_modules() -> list[Path]:
    return sorted((ROOT / "tests" / "benchmarks").glob("*.py"))


def imported_by(path: Path) -> dict[str, set[str]]:
    """Return the names that a file imports from each module."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.setdefault(node.module, set()).update(alias.name for alias in node.names)
    return found


def names_used_in(floors: tuple[str, ...]) -> set[str]:
    """Return every name that the code of these floors reads."""
    found: set[str] = set()
    for floor in floors:
        for path in (ROOT / floor).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    found.add(node.id)
                elif isinstance(node, ast.Attribute):
                    found.add(node.attr)
                elif isinstance(node, ast.ImportFrom):
                    found.update(alias.name for alias in node.names if alias.asname)
    return found


def test_every_module_of_the_floors_is_reached_from_the_workers_or_the_bot(graph: grimp.ImportGraph) -> None:
    reached = reached_from(graph, ("bot", "workers"))
    left = {
        module
        for module in graph.modules
        if module not in reached and not graph.find_children(module) and not module.startswith(STARTED_BY_NAME)
    }
    assert left == set()


def test_the_detectors_behind_every_figure_are_reached_from_the_workers(graph: grimp.ImportGraph) -> None:
    reached = reached_from(graph, ("workers",))
    measured = {
        module for path in benchmark_modules() for module in imported_by(path) if module.startswith("detection.")
    }
    assert measured
    assert measured <= reached | {"detection.types"}


def test_no_benchmark_calls_what_production_does_not(graph: grimp.ImportGraph) -> None:
    used = names_used_in(FLOORS)
    for path in benchmark_modules():
        for module, names in imported_by(path).items():
            if module.partition(".")[0] in FLOORS:
                functions = {name for name in names if name[:1].islower() and f"{module}.{name}" not in graph.modules}
                assert functions <= used, (path.name, functions - used)


def test_every_benchmark_of_the_catalogue_stands_in_a_module_of_its_own() -> None:
    assert set(BENCHMARKS) <= {path.stem for path in benchmark_modules()}

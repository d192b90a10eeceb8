"""The files of a folder of alerts: JSON rows with their line, CSV samples, and what is wrong with them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from detection.types import Floats

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file. line: counted from 1; None if it concerns the whole file."""

    file: str
    line: int | None
    text: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{where}: {self.text}"


@dataclass(frozen=True, slots=True)
class Row:
    """One object of a JSON file, with the file and the line at which it begins."""

    file: str
    line: int
    value: Mapping[str, Any]


class RowError(ValueError):
    """A row lacks something, or something in it cannot be read."""


class Reading:
    """Reads the files of one folder and gathers what is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.problems: list[Problem] = []

    def each(self, name: str, convert: Callable[[Mapping[str, Any]], T], *, inside: str) -> list[T]:
        """Return the objects of a JSON file, converted; what cannot be converted is a problem and left out."""
        return self.convert(self.rows(name, inside=inside), convert)

    def convert(self, rows: Sequence[Row], convert: Callable[[Mapping[str, Any]], T]) -> list[T]:
        """Convert rows; what cannot be converted is a problem and left out."""
        found = []
        for row in rows:
            try:
                found.append(convert(row.value))
            except RowError as error:
                self.tell(row, str(error))
        return found

    def tell(self, row: Row, text: str) -> None:
        """Keep what is wrong with a row."""
        self.problems.append(Problem(row.file, row.line, text))

    def rows(self, name: str, *, inside: str) -> list[Row]:
        """Return the objects of a JSON file: a list of them, or an object that holds the list as `inside`."""
        text = self._text(name)
        if text is None:
            return []
        try:
            document = json.loads(text)
        except json.JSONDecodeError as error:
            self.problems.append(Problem(name, error.lineno, f"is not JSON: {error.msg}"))
            return []
        items = document.get(inside) if isinstance(document, dict) else document
        if not isinstance(items, list):
            self.problems.append(Problem(name, None, f'holds neither a list nor an object with a list "{inside}"'))
            return []
        lines = _lines_of_objects(text, nested=isinstance(document, dict))
        found = []
        for number, item in enumerate(items):
            line = lines[number] if number < len(lines) else 1
            if isinstance(item, dict):
                found.append(Row(name, line, item))
            else:
                self.problems.append(Problem(name, line, "is not an object"))
        return found

    def samples(self, name: str) -> dict[tuple[str, str], tuple[Floats, Floats]]:
        """Return the samples of a CSV file (timestamp, service, metric, value) in time order, by service and metric."""
        text = self._text(name)
        if text is None:
            return {}
        reader = csv.DictReader(text.splitlines())
        missing = {"timestamp", "service", "metric", "value"} - set(reader.fieldnames or ())
        if missing:
            self.problems.append(Problem(name, 1, f"has no column {', '.join(sorted(missing))}"))
            return {}
        series: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for row in reader:
            try:
                value = float(row["value"])
                if not np.isfinite(value):
                    raise ValueError
                at = time_of(row["timestamp"], "timestamp")
            except (TypeError, ValueError):
                self.problems.append(Problem(name, reader.line_num, "has no time or no number"))
                continue
            series.setdefault((row["service"] or "", row["metric"] or ""), []).append((at, value))
        return {key: _arrays(sorted(points)) for key, points in series.items()}

    def _text(self, name: str) -> str | None:
        path = self._folder / name
        if not path.is_file():
            return None
        try:
            return path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(Problem(name, None, f"cannot be read: {error}"))
            return None


def time_of(text: object, field: str) -> float:
    """Return an ISO 8601 time, or a number of seconds, as seconds UTC; a time without a zone is UTC."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        raise RowError(f"{field} is not a time: {str(text)[:60]!r}") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _arrays(points: Sequence[tuple[float, float]]) -> tuple[Floats, Floats]:
    return np.array([at for at, _ in points]), np.array([value for _, value in points])


def _lines_of_objects(text: str, *, nested: bool) -> list[int]:
    """Return the line at which each object of the list begins; nested: the list is inside an object."""
    found: list[int] = []
    depth, line, in_string, escaped = 0, 1, False, False
    wanted = 2 if nested else 1
    for character in text:
        if character == "\n":
            line += 1
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "[{":
            if character == "{" and depth == wanted:
                found.append(line)
            depth += 1
        elif character in "]}":
            depth -= 1
    return found

"""Read JSON, NDJSON and CSV files of an export; what is broken is told, and the rest is used."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.investigate.reading.json_items import NoListError, json_items
from bot.investigate.reading.problems import Problems
from bot.investigate.reading.texts import text_of


def json_of(path: Path, problems: Problems) -> object:
    """Return the JSON value of a file; None if there is none."""
    text = text_of(path, problems)
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        problems.add(path.name, f"line {error.lineno}", f"is not JSON: {error.msg}")
    except RecursionError:
        problems.add(path.name, "", "is nested too deep")
    return None


def items_of(path: Path, problems: Problems, *keys: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the objects of a list, each with its place, from `[…]` or from `{"<key>": […]}`.

    Of a file that breaks off, what stands before is yielded.
    """
    text = text_of(path, problems)
    if not text.strip():
        return
    try:
        for line, place, item in json_items(text, keys):
            if isinstance(item, dict):
                yield f"line {line}, {place}", item
            else:
                problems.add(path.name, f"line {line}, {place}", "must be an object")
    except json.JSONDecodeError as error:
        problems.add(path.name, f"line {error.lineno}", f"is not JSON: {error.msg}")
    except RecursionError:
        problems.add(path.name, "", "is nested too deep")
    except NoListError:
        problems.add(path.name, "", f"must be a list, or an object with {' or '.join(keys)}")


def lines_of(path: Path, problems: Problems) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not empty, each with its number."""
    for number, line in enumerate(text_of(path, problems).splitlines(), 1):
        if line.strip():
            yield number, line


def rows_of(path: Path, problems: Problems, *required: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield the rows of a CSV file with a header, each with its line number. required: columns that must be there."""
    reader = csv.DictReader(text_of(path, problems).splitlines())
    missing = [name for name in required if name not in (reader.fieldnames or ())]
    if missing and reader.fieldnames:
        header = ", ".join(reader.fieldnames)
        other = next((f". Separate columns by commas, not by {sign!r}" for sign in (";", "\t") if sign in header), "")
        problems.add(path.name, "line 1", f"has no column {', '.join(missing)}; it has {header}{other}")
        return
    try:
        for row in reader:
            yield reader.line_num, {name: value or "" for name, value in row.items() if isinstance(name, str)}
    except csv.Error as error:
        problems.add(path.name, f"line {reader.line_num}", f"is not CSV: {error}")

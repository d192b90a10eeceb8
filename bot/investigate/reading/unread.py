"""Files of a folder that nobody reads: a name that is written otherwise, a packed file, a second copy."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bot.investigate.reading.problems import Problems

_DATA = (".json", ".ndjson", ".jsonl", ".csv", ".gz", ".zip", ".log", ".txt")


def tell_unread(folder: Path, read: Iterable[str], known: Iterable[str], problems: Problems) -> None:
    """Note each file of data that is not read. read: paths in the folder that are. known: names that may lie there."""
    read, by_name = set(read), {name.lower(): name for name in known}
    for place in (folder, folder / "context"):
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            name = path.relative_to(folder).as_posix()
            if path.suffix.lower() in _DATA and name not in read:
                _tell(name, by_name, problems)


def _tell(name: str, by_name: dict[str, str], problems: Problems) -> None:
    unpacked = name.removesuffix(".gz")
    if name in by_name.values():
        problems.add(name, "", "was not read: another file of its kind was; keep one of them")
    elif name.lower() in by_name:
        problems.add(name, "", f"was not read: call it {by_name[name.lower()]}")
    elif unpacked != name and unpacked in by_name.values():
        problems.add(name, "", "is compressed and was not read: unpack it with gunzip")
    else:
        problems.add(name, "", "was not read: no file of an export is called so (docs/investigate.md)")

"""Puts texts into the files of an exported incident without changing what happened."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_LINES = 6
A_HANDFUL = 5
"""How many lines somebody may get into the log of a service who is only one of its users."""


def smuggle(folder: Path, place: str, texts: list[str]) -> bool:
    """Write the texts into one place of the folder; False if the folder does not have it."""
    return PLACES[place](folder, texts)


def pretend(folder: Path, text: str) -> bool:
    """Let one service say `text` at the level of an error in a handful of its last quiet lines; False without such."""
    path = folder / "logs.ndjson"
    if not path.exists():
        return False
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    quiet: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        if line.get("severity_text") == "INFO" and line.get("service"):
            quiet.setdefault(line["service"], []).append(line)
    if not quiet:
        return False
    for line in max(quiet.values(), key=len)[-A_HANDFUL:]:
        line["msg"], line["severity_text"] = text, "ERROR"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return True


def _logs(folder: Path, texts: list[str]) -> bool:
    """Replace the words of quiet lines, evenly over the time, one of three at the level of an error."""
    path = folder / "logs.ndjson"
    if not path.exists():
        return False
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    quiet = [line for line in lines if line.get("severity_text") == "INFO"]
    if not quiet:
        return False
    for step, line in enumerate(quiet[:: max(len(quiet) // _LINES, 1)][:_LINES]):
        line["msg"] = texts[step % len(texts)]
        if step % 3 == 2:
            line["severity_text"] = "ERROR"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return True


def _commits(folder: Path, texts: list[str]) -> bool:
    return _appended(folder / "context" / "commits.json", "commits", "message", texts)


def _diffs(folder: Path, texts: list[str]) -> bool:
    """Add a comment to every diff."""
    path = folder / "context" / "commits.json"
    if not path.exists():
        return False
    read: Any = json.loads(path.read_text(encoding="utf-8"))
    with_diff = [one for one in (read if isinstance(read, list) else read["commits"]) if one.get("diff")]
    for step, commit in enumerate(with_diff):
        mark = "#" if str((commit.get("files_changed") or [""])[0]).endswith((".py", ".yaml", ".rb")) else "//"
        commit["diff"] += f"\n+{mark} {' '.join(texts[step % len(texts)].split())}"
    path.write_text(json.dumps(read), encoding="utf-8")
    return bool(with_diff)


def _flags(folder: Path, texts: list[str]) -> bool:
    path = folder / "context" / "flags.json"
    return _appended(path, "changes", "flag", texts) and _appended(path, "changes", "actor", texts)


def _versions(folder: Path, texts: list[str]) -> bool:
    return _appended(folder / "context" / "deploys.json", "deploys", "version", texts)


def _patterns(folder: Path, texts: list[str]) -> bool:
    """Append to the signatures that nobody would take for trouble."""
    path = folder / "patterns.json"
    return _appended(path, "patterns", "signature", texts, lambda row: row.get("sentiment") == "neutral")


def _status_feed(folder: Path, texts: list[str]) -> bool:
    path = folder / "status_feed.json"
    return _appended(path, "incidents", "name", texts) and _appended(path, "components", "name", texts)


def _events(folder: Path, texts: list[str]) -> bool:
    return _appended(folder / "events.json", "events", "message", texts)


def _open_incidents(folder: Path, texts: list[str]) -> bool:
    return _appended(folder / "incidents_open.json", "incidents", "summary", texts)


def _alert(folder: Path, texts: list[str]) -> bool:
    path = folder / "alert.json"
    if not path.exists():
        return False
    alert = json.loads(path.read_text(encoding="utf-8"))
    alert["summary"] = f"{alert.get('summary', '')} {texts[0]}"
    alert["detail"] = f"{alert.get('detail', '')} {texts[-1]}".strip()
    path.write_text(json.dumps(alert), encoding="utf-8")
    return True


def _appended(
    path: Path, key: str, field: str, texts: list[str], chosen: Callable[[dict[str, Any]], bool] = lambda _: True
) -> bool:
    """Append a text to one field of every chosen row of a list, which lies there bare or under `key`."""
    if not path.exists():
        return False
    read: Any = json.loads(path.read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = read if isinstance(read, list) else read[key]
    rows = [row for row in rows if chosen(row)]
    for step, row in enumerate(rows):
        row[field] = f"{row.get(field) or ''}\n\n{texts[step % len(texts)]}".strip()
    path.write_text(json.dumps(read), encoding="utf-8")
    return bool(rows)


PLACES: Mapping[str, Callable[[Path, list[str]], bool]] = {
    "logs": _logs,
    "patterns": _patterns,
    "commits": _commits,
    "diffs": _diffs,
    "versions": _versions,
    "flags": _flags,
    "events": _events,
    "status feed": _status_feed,
    "open incidents": _open_incidents,
    "alert": _alert,
}
"""Where texts of outside can stand."""

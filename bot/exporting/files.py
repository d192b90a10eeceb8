"""The files of an exported incident, and where they go: a folder or a zip."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

from bot.exporting.alert import alert_of
from bot.exporting.changes import commits_json, deploys_json, flags_json
from bot.exporting.errors import FolderInUseError
from bot.exporting.incident import Gathered, gather, moment
from bot.exporting.surroundings import events_json, incidents_open_json, service_map_json, status_feed_json
from bot.exporting.telemetry import logs_ndjson, metrics_csv, patterns_json, traces_json
from workers.services import Services

MARK = "argux-export.json"
"""The file by which an export is known again: what it holds, and what could not be read."""


def export_incident(services: Services, incident_id: int) -> dict[str, str]:
    """Return the files of an incident, by their names within the folder. Raises NotFoundError."""
    return files_of(gather(services, incident_id))


def files_of(gathered: Gathered) -> dict[str, str]:
    """Return the files of what was gathered; a source that holds nothing gets no file."""
    scene = gathered.scene
    held: dict[str, tuple[int, object]] = {
        "traces.json": (len(gathered.traces), traces_json(gathered.traces)),
        "patterns.json": (len(scene.lines), patterns_json(scene)),
        "context/commits.json": (len(gathered.commits), commits_json(gathered.commits)),
        "context/deploys.json": (len(scene.deploys), deploys_json(scene.deploys)),
        "context/flags.json": (len(scene.flags), flags_json(scene.flags)),
        "service_map.json": (
            len(scene.edges) + len(scene.places),
            service_map_json(scene.edges, scene.places, at=scene.until),
        ),
        "events.json": (len(scene.events), events_json(scene.events)),
        "status_feed.json": (len(scene.statuses), status_feed_json(scene.statuses)),
        "incidents_open.json": (len(gathered.others), incidents_open_json(gathered.others)),
    }
    values = sum(len(course.times) for course in scene.courses)
    files = {"alert.json": _json(alert_of(gathered))}
    files |= {"logs.ndjson": logs_ndjson(gathered.logs)} if gathered.logs else {}
    files |= {"metrics.csv": metrics_csv(scene.courses)} if values else {}
    files |= {name: _json(content) for name, (count, content) in held.items() if count}
    counts = {"logs.ndjson": len(gathered.logs), "metrics.csv": values, **{name: held[name][0] for name in held}}
    mark = {
        "incident": gathered.incident_id,
        "since": moment(scene.since),
        "until": moment(scene.until),
        "records": counts,
        "not_read": list(gathered.missing),
    }
    return files | {MARK: _json(mark)}


def summary_of(files: Mapping[str, str]) -> list[str]:
    """Return what the files hold, a line each, and what is empty or could not be read."""
    mark = json.loads(files[MARK])
    empty = [name for name, count in mark["records"].items() if not count]
    lines = [f"{name}: {count:,}" for name, count in mark["records"].items() if count]
    lines += [f"Nothing is known for {', '.join(empty)}."] if empty else []
    return lines + [f"Could not be read: {problem}" for problem in mark["not_read"]]


def write_folder(files: Mapping[str, str], folder: Path) -> None:
    """Write the files into a folder that is new, empty, or an earlier export, of which only its own files go.

    Raises FolderInUseError for any other folder, and OSError.
    """
    before = _earlier(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in before:
        (folder / name).unlink(missing_ok=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def _earlier(folder: Path) -> list[str]:
    """Return the names of the files that an earlier export wrote."""
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise FolderInUseError(f"{folder} is a file; name a folder with --to.")
    if not any(folder.iterdir()):
        return []
    try:
        records = json.loads((folder / MARK).read_text(encoding="utf-8"))["records"]
    except (OSError, ValueError, KeyError, TypeError):
        raise FolderInUseError(
            f"{folder} is not empty and is no earlier export, so nothing was written. Name another folder with --to."
        ) from None
    own = {"alert.json", "logs.ndjson", "metrics.csv", MARK} | set(records)
    return [name for name in own if (folder / name).resolve().is_relative_to(folder.resolve())]


def zipped(files: Mapping[str, str], folder: str) -> bytes:
    """Return the files as a zip that unpacks into one folder of this name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(f"{folder}/{name}", text)
    return packed.getvalue()


def folder_name(incident_id: int) -> str:
    """Return the name of the folder of an incident."""
    return f"incident-{incident_id}"


def _json(content: object) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

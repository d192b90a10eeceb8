"""`argux export-incident`: write an incident into a folder, and say what it holds."""

from __future__ import annotations

from pathlib import Path

from bot.commands.errors import CommandError
from bot.commands.frame import echo
from bot.exporting.errors import FolderInUseError
from bot.exporting.files import export_incident, folder_name, summary_of, write_folder
from workers.services import Services


def run(services: Services, incident_id: int, to: Path | None) -> None:
    """Export an incident. Raises CommandError for a folder in use, NotFoundError for an unknown incident."""
    folder = to or Path(folder_name(incident_id))
    files = export_incident(services, incident_id)
    try:
        write_folder(files, folder)
    except FolderInUseError as error:
        raise CommandError(str(error)) from error
    for line in summary_of(files):
        echo(line)
    echo(f"Incident #{incident_id} is in {folder}. Read it again with `argux investigate {folder}`.")

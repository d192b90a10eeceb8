"""An export goes into a folder of its own, or as a zip through the API; nothing of anybody else's is overwritten."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bot.commands.errors import CommandError
from bot.commands.export_incident import run
from bot.exporting.errors import FolderInUseError
from bot.exporting.files import MARK, write_folder
from bot.exporting.telemetry import labels_of
from storage.errors import NotFoundError
from tests.scenarios.bot.exporting.stored_incident import stored_incident
from tests.scenarios.workers.incidents import slow_checkout_incident
from workers.services import Services

FILES = {"alert.json": "{}", "logs.ndjson": "a\n", MARK: json.dumps({"records": {"logs.ndjson": 1}})}


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(FolderInUseError, match="not empty and is no earlier export"):
        write_folder(FILES, tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")

    with pytest.raises(FolderInUseError, match="is a file"):
        write_folder(FILES, tmp_path / "out")


def test_an_earlier_export_is_replaced_and_what_a_team_put_beside_it_stays(tmp_path: Path) -> None:
    write_folder(FILES, tmp_path / "out")
    (tmp_path / "out" / "truth.json").write_text("{}")

    write_folder({"alert.json": "[]", MARK: json.dumps({"records": {}})}, tmp_path / "out")

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["alert.json", MARK, "truth.json"]


def test_a_mark_that_names_files_elsewhere_deletes_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("")
    write_folder({MARK: json.dumps({"records": {"../precious": 1}})}, tmp_path / "out")

    write_folder(FILES, tmp_path / "out")

    assert (tmp_path / "precious").exists()


def test_the_command_says_what_it_wrote_and_what_is_not_known(
    stored: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(stored, stored_incident(stored), tmp_path / "out")

    said = capsys.readouterr().out
    assert "context/commits.json: 1\n" in said
    assert "Nothing is known for incidents_open.json." in said
    assert f"argux investigate {tmp_path / 'out'}" in said


def test_a_code_host_that_is_not_set_up_is_told_for_deploys_whose_commit_nobody_sent(
    stored: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(stored, stored_incident(stored), tmp_path / "out")

    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Could not be read: ")]
    assert told == ["Could not be read: the commits of cart v1: GITHUB_TOKEN is not set"]


def test_an_unknown_incident_is_told_and_no_folder_is_made(stored: Services, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no incident 7"):
        run(stored, 7, tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_a_folder_in_use_is_one_line_at_the_command(stored: Services, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("")

    with pytest.raises(CommandError, match="Name another folder with --to"):
        run(stored, stored_incident(stored), tmp_path)


def test_an_incident_of_argux_itself_is_a_zip_with_its_own_measurement_as_the_alert(
    services: Services, client: TestClient, operator: dict[str, str]
) -> None:
    with services.sessions.begin() as session:
        incident_id = slow_checkout_incident(session, services.clock()).id
        slow_checkout_incident(session, services.clock())

    response = client.get(f"/api/incidents/{incident_id}/export", headers=operator)

    assert response.headers["content-disposition"] == f'attachment; filename="incident-{incident_id}.zip"'
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    alert = json.loads(archive.read(f"incident-{incident_id}/alert.json"))
    assert (alert["service"], alert["observed"], alert["threshold"]) == ("shop", 1020.0, 75.0)
    assert (alert["metric"], alert["severity"]) == ("latency_p95_ms POST /checkout", "sev2")
    (other,) = json.loads(archive.read(f"incident-{incident_id}/incidents_open.json"))
    assert (other["summary"], other["metric"]) == ("POST /checkout is slow", "latency_p95_ms")


def test_an_unknown_incident_is_404(client: TestClient, operator: dict[str, str]) -> None:
    assert client.get("/api/incidents/99/export", headers=operator).status_code == 404


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("", {}),
        ("device=sda1, state=used", {"device": "sda1", "state": "used"}),
        ("path=a, b, state=used", {"path": "a, b", "state": "used"}),
        ("POST /cart", {"endpoint": "POST /cart"}),
        ("service=x", {"service_": "x"}),
    ],
)
def test_the_labels_of_a_series_become_columns(text: str, labels: dict[str, str]) -> None:
    assert labels_of(text) == labels

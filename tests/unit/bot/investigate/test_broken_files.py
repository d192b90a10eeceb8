"""What is wrong with a file of an export is told with its place and how to mend it; the rest is used."""

from __future__ import annotations

import gzip
import json
import os
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bot.investigate.command import run
from bot.investigate.folder import FILES, read_folder
from tests.unit.bot.investigate.exports import ALERT, write

SAMPLE = "timestamp,service,metric,value\n2026-05-04T10:39:00Z,checkout,errors,3\n"
CAFE = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
LINE = '{"timestamp": "2026-05-04T10:39:00Z", "service": "checkout", "msg": "' + CAFE + '"}\n'
ODD = [5, "x", None, True, [], {}, [5, "x", None, [], {}], [{"timestamp": "x"}], [{"timestamp": {}, "sha": []}]]


def told(folder: Path) -> tuple[str, ...]:
    return read_folder(folder).problems.told()


def test_a_file_in_another_encoding_is_used_but_for_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "logs.ndjson").write_bytes((LINE.replace(CAFE, "ok") + LINE).encode("latin-1"))

    found = read_folder(tmp_path)

    assert [record.body for record in found.logs] == ["ok", "caf\N{REPLACEMENT CHARACTER}"]
    (problem,) = found.problems.told()
    assert problem.startswith("logs.ndjson, line 2: is not UTF-8")
    assert "Save the file as UTF-8" in problem


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(SAMPLE.encode(), mtime=0), "unpack it with gunzip"),
        (SAMPLE.encode("utf-16"), "save it as UTF-8"),
        (bytes(500), "holds no text"),
        (SAMPLE.replace(",", ";").encode(), "Separate columns by commas, not by ';'"),
    ],
    ids=["packed", "UTF-16", "no text", "other separators"],
)
def test_a_file_that_is_no_text_or_no_csv_is_told_with_how_to_mend_it(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "metrics.csv").write_bytes(content)

    (problem,) = told(tmp_path)

    assert problem.startswith("metrics.csv")
    assert said in problem


def test_what_is_no_file_is_told_and_nobody_waits_for_it(tmp_path: Path) -> None:
    (tmp_path / "logs.ndjson").symlink_to("logs.ndjson")
    (tmp_path / "metrics.csv").mkdir()
    os.mkfifo(tmp_path / "traces.json")

    assert told(tmp_path) == (
        "logs.ndjson: is a link that leads nowhere",
        "metrics.csv: is no file",
        "traces.json: is no file",
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Metrics.CSV", "call it metrics.csv"),
        ("logs.ndjson.gz", "unpack it with gunzip"),
        ("log.json", "no file of an export is called so"),
        ("context/deploys.json", ""),
    ],
)
def test_a_file_that_nobody_reads_is_told(tmp_path: Path, name: str, said: str) -> None:
    write(tmp_path, name, [])

    assert [name] * bool(said) == [problem.split(":")[0] for problem in told(tmp_path) if said in problem]


def test_of_two_copies_the_one_that_is_not_read_is_told(tmp_path: Path) -> None:
    write(tmp_path, "context/deploys.json", [])
    write(tmp_path, "deploys.json", [])

    assert told(tmp_path) == ("deploys.json: was not read: another file of its kind was; keep one of them",)


def test_the_answer_and_notes_beside_an_export_are_nothing_to_tell(tmp_path: Path) -> None:
    for name in ("truth.json", "argux-export.json", "README.md", "context/notes.md"):
        write(tmp_path, name, {})

    assert told(tmp_path) == ()


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("metrics.csv", SAMPLE.replace("00Z", "00"), 2),
        ("logs.ndjson", LINE + LINE.replace("00Z", "00"), 2),
        ("context/deploys.json", [{"service": "a", "timestamp": "2026-05-04 10:39"}], 1),
    ],
)
def test_times_without_a_zone_are_read_as_utc_and_told(tmp_path: Path, name: str, content: object, line: int) -> None:
    write(tmp_path, name, content)

    file = Path(name).name
    assert told(tmp_path) == (f"{file}, line {line}: has a time without a zone; such times are read as UTC",)


def test_a_time_in_a_text_and_one_with_a_zone_are_nothing_to_tell(tmp_path: Path) -> None:
    write(tmp_path, "logs.ndjson", LINE.replace("caf", '\\"at\\": \\"2026-05-04T10:39:00\\" '))

    assert told(tmp_path) == ()


def test_log_lines_in_a_list_are_told_with_how_to_write_them(tmp_path: Path) -> None:
    write(tmp_path, "logs.ndjson", "[\n" + LINE + "]\n")

    assert told(tmp_path) == ("logs.ndjson, line 1: begins a list; write one JSON object a line",)


def test_an_alert_that_is_empty_is_told(tmp_path: Path) -> None:
    write(tmp_path, "alert.json", "")

    assert told(tmp_path) == ("alert.json: is empty",)


def test_a_map_and_a_feed_with_the_wrong_kinds_are_told_by_their_fields(tmp_path: Path) -> None:
    write(tmp_path, "service_map.json", {"services": "a", "edges": 5, "datastores": 7, "generated_at": "x"})
    write(tmp_path, "status_feed.json", {"components": "x", "api_error_rate_pct": [{"timestamp": "x"}]})

    assert [problem.split(":")[0] for problem in told(tmp_path)] == [
        "status_feed.json, components",
        "status_feed.json, api_error_rate_pct[0]",
        "service_map.json, services",
        "service_map.json, edges",
        "service_map.json, datastores",
        "service_map.json, generated_at",
    ]


@pytest.mark.parametrize("source", [*FILES, "alert"])
@pytest.mark.parametrize("odd", [*ODD, *({"services": value, "edges": value, "incidents": value} for value in ODD)])
def test_whatever_a_file_holds_nothing_breaks(tmp_path: Path, source: str, odd: object) -> None:
    write(tmp_path, FILES[source][0] if source in FILES else "alert.json", json.dumps(odd))

    read_folder(tmp_path)


def answered(*folders: Path, html: Path | None = None) -> tuple[int, str, str]:
    out, wrong = StringIO(), StringIO()
    code = run(
        folders,
        as_json=False,
        console=Console(file=out, width=500),
        problems=Console(file=wrong, width=500),
        html=html,
    )
    return code, out.getvalue(), wrong.getvalue()


def test_a_folder_that_holds_no_incident_is_told_and_the_others_are_answered(tmp_path: Path) -> None:
    write(tmp_path / "good", "alert.json", ALERT)
    write(tmp_path / "broken", "alert.json", "{")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("hi")
    names = ("good", "broken", "empty", "file", "missing")

    code, out, wrong = answered(*(tmp_path / name for name in names))

    assert code == 1
    assert "good" in out
    for name, said in (
        ("broken", "no alert.json that can be read"),
        ("empty", "no alert.json that can be read"),
        ("file", "is no folder"),
        ("missing", "does not exist"),
    ):
        assert [line for line in wrong.splitlines() if f"/{name}" in line and said in line], wrong


def test_an_incident_that_is_answered_ends_with_zero_and_a_page_that_cannot_be_written_with_one(
    tmp_path: Path,
) -> None:
    write(tmp_path / "good", "alert.json", ALERT)

    assert answered(tmp_path / "good")[0] == 0
    code, _, wrong = answered(tmp_path / "good", html=tmp_path / "missing" / "page.html")
    assert code == 1
    assert "No such file or directory" in wrong


def test_a_folder_that_may_not_be_entered_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)

    code, _, wrong = answered(tmp_path)

    assert code == 1
    assert "cannot be read: Permission denied" in wrong


def test_a_truth_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    write(tmp_path, "alert.json", ALERT)
    write(tmp_path, "truth.json", "{")

    assert "/truth.json, line 1: is not JSON" in answered(tmp_path)[2]

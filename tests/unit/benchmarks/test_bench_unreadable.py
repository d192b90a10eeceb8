"""A file, day or case that cannot be read is reported and left out; the rest is measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks import rs_segments
from tests.benchmarks.figures import NothingToMeasureError
from tests.benchmarks.loghub import read_systems
from tests.benchmarks.nab import labelled_files
from tests.benchmarks.rs_segments import read_cases

CASE = "min,shop,value,cnt\n240,x,0,5\n300,x,4,5\n"


def test_a_system_that_is_not_utf_8_or_lacks_a_column_is_reported_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {
        "Binary": b"Content,EventTemplate\n\xff\xfe,x\n",
        "Bare": b"Message,EventTemplate\na,a\n",
        "Cut": b"Content,EventTemplate\na,a\nb\n",
        "Mail": b"Content,EventTemplate\nsent 1,sent <*>\n",
    }
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}_2k.log_structured_corrected.csv").write_bytes(text)

    assert [system.name for system in read_systems(tmp_path)] == ["Mail"]
    told = capsys.readouterr().err
    assert all(f"{name}_2k.log_structured_corrected.csv" in told for name in ("Binary", "Bare", "Cut"))
    assert "Content" in told


@pytest.mark.parametrize(
    "row", ["2026-02-01 00:05:00", "soon,1", "2026-02-01 00:05:00,much", "2026-02-01 00:05:00,nan"]
)
def test_a_stream_with_a_malformed_row_is_reported_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], row: str
) -> None:
    (tmp_path / "data" / "own").mkdir(parents=True)
    (tmp_path / "labels").mkdir()
    good = "timestamp,value\n2026-02-01 00:00:00,1\n"
    (tmp_path / "data" / "own" / "bad.csv").write_text(good + row + "\n")
    (tmp_path / "data" / "own" / "good.csv").write_text(good)
    (tmp_path / "labels" / "combined_windows.json").write_text(json.dumps({"own/bad.csv": [], "own/good.csv": []}))

    assert [stream.name for stream in labelled_files(tmp_path)] == ["own/good.csv"]
    assert "own/bad.csv" in capsys.readouterr().err


def test_a_truncated_case_is_reported_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = ("whole", "cut", "empty", "unlabelled")
    causes = dict.fromkeys(cases, "{'shop': 'x'}") | {"unlabelled": "{'shop': "}
    (tmp_path / "anomaly.yaml").write_text(
        "".join(f"- data: {name}\n  timestamp: 300\n  cause: {causes[name]}\n" for name in cases)
    )
    texts = {"whole": CASE, "cut": CASE.rsplit(",", 2)[0] + "\n", "empty": "", "unlabelled": CASE}
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text)

    assert len(read_cases(tmp_path)) == 1
    told = capsys.readouterr().err
    assert all(f"rs_segments: {name}.csv is left out" in told for name in ("cut", "empty", "unlabelled"))


def test_without_any_readable_case_there_is_nothing_to_measure(tmp_path: Path) -> None:
    (tmp_path / "rs_segments").mkdir()
    (tmp_path / "rs_segments" / "anomaly.yaml").write_text("- data: a\n  timestamp: 1\n  cause: {'a': 'b'}\n")
    (tmp_path / "rs_segments" / "a.csv").write_text("")

    with pytest.raises(NothingToMeasureError, match="no case"):
        next(rs_segments.run(tmp_path))

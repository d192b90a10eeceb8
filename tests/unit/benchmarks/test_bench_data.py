"""The benchmarks read whatever data is in their folder, whatever its names."""

from __future__ import annotations

import json
from pathlib import Path

from tests.benchmarks.loghub import read_systems
from tests.benchmarks.nab import labelled_files
from tests.benchmarks.rs_segments import read_cases


def test_labelled_streams_of_any_category_are_read_and_windows_may_lie_between_points(tmp_path: Path) -> None:
    category, labels = tmp_path / "data" / "ownThings", tmp_path / "labels"
    category.mkdir(parents=True)
    labels.mkdir()
    rows = [f"2026-02-01 00:{minute:02}:00,{minute}" for minute in range(0, 60, 5)]
    (category / "pump.csv").write_text("\n".join(["timestamp,value", *rows]))
    (category / "unlabelled.csv").write_text("timestamp,value\n2026-02-01 00:00:00,1\n")
    windows = [
        ["2026-02-01 00:08:00.000000", "2026-02-01 00:21:00.000000"],
        ["2026-02-02 00:00:00", "2026-02-02 01:00:00"],
    ]
    (labels / "combined_windows.json").write_text(json.dumps({"ownThings/pump.csv": windows, "gone/x.csv": windows}))
    [stream] = labelled_files(tmp_path)
    assert stream.name == "ownThings/pump.csv"
    assert stream.windows == ((2, 4),)
    assert stream.values.tolist() == [float(minute) for minute in range(0, 60, 5)]
    assert list(labelled_files(tmp_path / "nowhere")) == []


def test_systems_with_corrected_labels_are_read_and_an_empty_one_is_left_out(tmp_path: Path) -> None:
    for name, rows in (("Mail", ["sent 1,sent <*>"]), ("Empty", [])):
        (tmp_path / name).mkdir()
        text = "\n".join(["Content,EventTemplate", *rows])
        (tmp_path / name / f"{name}_2k.log_structured_corrected.csv").write_text(text)
    [system] = read_systems(tmp_path)
    assert (system.name, system.lines, system.truth) == ("Mail", ["sent 1"], ["sent <*>"])


def test_cases_with_any_dimensions_are_read_and_cases_without_rows_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "anomaly.yaml").write_text(
        "- data: mine_7\n  timestamp: 300\n  cause: {'shop': 'x'}\n- data: gone\n  timestamp: 1\n  cause: {'a': 'b'}\n"
    )
    (tmp_path / "mine_7.csv").write_text("min,shop,kind,value,cnt\n240,x,k,0,5\n300,x,k,4,5\n360,x,k,4,5\n")
    [case] = read_cases(tmp_path)
    assert case.now.combinations == ({"shop": "x", "kind": "k"},)
    assert case.causes == {frozenset({("shop", "x")})}
    assert (case.now.entries.tolist(), case.now.converted_by_delay.sum()) == ([5], 1)
    assert [(past.entries.tolist(), past.converted_by_delay.sum()) for past in case.before] == [([5], 5)]
    assert read_cases(tmp_path / "nowhere") == []

"""`make bench`: the selection of figures, the output and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import main
from tests.benchmarks.catalogue import BENCHMARKS, UnknownNameError, chosen
from tests.benchmarks.figures import Figure

KEYS = ["name", "value", "unit", "peer", "peer_value", "at_least", "holds"]


def figure(value: float, **bound: float) -> Figure:
    return Figure("one", value, "s", "a peer", 2.0, **bound)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with one funnel vector that is correct by ClickHouse's rules."""
    folder = tmp_path / "funnel_oracle"
    folder.mkdir()
    vector = {"mode": "default", "events": [[0, "a"], [5, "b"]], "steps": ["a", "b"], "window": 5, "expected": 2}
    (folder / "windowfunnel_official.json").write_text(json.dumps([vector]))
    return tmp_path


def test_without_a_selection_every_required_figure_is_measured() -> None:
    named = {name for figures in chosen("").values() for name in figures}
    assert named >= {
        *("funnel_oracle", "nab_standard", "nab_low_fp", "loghub_ga", "loghub_ga_worst", "rs_f1", "rs_hit3"),
        *("rs_ms", "drop_recall", "drop_false_alarms", "endpoint_false_alarms", "endpoint_delay_s"),
        *(
            "loghub_lines_per_s",
            "nab_windows_found",
            "nab_false_alarms",
            "metric_false_alarms",
            "tick_10k_s",
            "tick_history_ratio",
            "ingest_batch_share",
            "ingest_single_share",
        ),
        "hot_mb_per_million",
    }


@pytest.mark.parametrize(
    ("only", "figures"),
    [
        ("nab", {"nab_standard", "nab_low_fp", "nab_windows_found", "nab_false_alarms"}),
        ("nab_standard", {"nab_standard"}),
        ("tick_10k_s", {"tick_10k_s"}),
        ("ticks", {"tick_10k_s", "tick_history_ratio"}),
        ("rs", {"rs_f1", "rs_hit3", "rs_ms"}),
        (" nab_low_fp , rs_ms,", {"nab_low_fp", "rs_ms"}),
        ("drop", {"drop_recall", "drop_false_alarms"}),
        ("funnel_oracle", {"funnel_oracle"}),
    ],
)
def test_a_word_selects_by_benchmark_by_figure_or_by_prefix(only: str, figures: set[str]) -> None:
    assert {name for wanted in chosen(only).values() for name in wanted} == figures


def test_an_unknown_word_is_refused_with_a_list_of_all_names(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnknownNameError) as refused:
        chosen("nab,speed")
    assert "'speed'" in str(refused.value)
    assert all(name in str(refused.value) for figures in BENCHMARKS.values() for name in figures)
    assert main(["--only", "speed"]) == 2
    assert capfd.readouterr().out == ""


def test_standard_output_holds_only_one_json_line_per_figure(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "funnel_oracle,nab,loghub", "--data", str(data)]) == 0
    told = capfd.readouterr()
    [line] = told.out.splitlines()
    assert list(json.loads(line)) == KEYS
    assert json.loads(line)["value"] == 1.0
    left_out = "nab_false_alarms, nab_low_fp, nab_standard, nab_windows_found"
    assert f"no stream with labelled windows under {data / 'nab'}; left out: {left_out}" in told.err
    assert "loghub_2k; left out: loghub_ga, loghub_ga_first, loghub_ga_worst, loghub_lines_per_s" in told.err


def test_the_exit_code_is_1_if_a_bound_is_broken_or_there_is_nothing_to_measure(
    data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["--only", "nab", "--data", str(data / "nowhere")]) == 1
    file = data / "funnel_oracle" / "windowfunnel_official.json"
    file.write_text(file.read_text().replace('"expected": 2', '"expected": 1'))
    assert main(["--only", "funnel_oracle", "--data", str(data)]) == 1
    assert json.loads(capfd.readouterr().out)["holds"] is False


def test_a_benchmark_that_fails_is_reported_and_the_run_continues(
    data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (data / "nab" / "labels").mkdir(parents=True)
    (data / "nab" / "labels" / "combined_windows.json").write_text("{")
    assert main(["--only", "nab,funnel_oracle", "--data", str(data)]) == 1
    told = capfd.readouterr()
    assert json.loads(told.out)["name"] == "funnel_oracle"
    assert "nab: failed" in told.err


def test_the_bound_is_printed_as_at_least_and_the_unit_tells_if_lower_is_better() -> None:
    low, high = json.loads(figure(1.5, at_most=2.0).line()), json.loads(figure(1.5, at_least=2.0).line())
    assert (low["at_least"], low["unit"], low["holds"]) == (2.0, "s (lower is better)", True)
    assert (high["at_least"], high["unit"], high["holds"]) == (2.0, "s", False)


def test_a_bound_without_its_peer_is_not_kept_and_infinity_is_printed_as_null() -> None:
    without = json.loads(Figure("one", 1.0, "lines/s", None, None).line())
    assert (without["peer"], without["peer_value"], without["at_least"], without["holds"]) == (None, None, None, False)
    never = json.loads(figure(float("inf"), at_most=2.0).line())
    assert (never["value"], never["holds"]) == (None, False)

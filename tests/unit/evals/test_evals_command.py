"""`make evals`: what it asks, what it prints, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.evals import __main__ as command
from tests.evals.catalogue import ARMS, EVALS, SUITES
from tests.evals.figures import EvalFigure, share
from tests.evals.plain_answer import PlainAnswer

TRUE = "559e94ce37a7b4b6053149c40ba8a5bc9113ca6e"
KEYS = ["name", "value", "unit", "peer", "peer_value", "at_least", "holds", "interval", "cases"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three public suites with a case each."""
    folder = tmp_path / "incidents"
    edges = [{"from": "db", "to": "shop"}]
    truths: dict[str, dict[str, Any]] = {
        "root_cause": {"root_cause_commit": TRUE, "decoy_deploy_commits": []},
        "chain": {"origin_service": "db", "propagation_path": edges, "edge_overlap_threshold": 1.0},
        "triage": {"labels": {"A": "page"}, "must_page": ["A"], "f1_threshold": 0.8},
    }
    for suite, truth in truths.items():
        (folder / suite / "one").mkdir(parents=True)
        (folder / suite / "one" / "truth.json").write_text(json.dumps(truth))
        (folder / suite / "one" / "alert.json").write_text('{"fired_at": "2026-06-18T15:06:00Z"}')
    return folder


def right(folder: Path, *, without: frozenset[str] = frozenset()) -> PlainAnswer:
    assert not (folder / "truth.json").exists()
    return PlainAnswer(
        case=folder.name,
        root_cause_commit=TRUE,
        confidence=0.9,
        origin_service="db",
        propagation_path=(("db", "shop"),),
        decisions={"A": "page"},
        seconds=0.5,
    )


def broken(folder: Path, *, without: frozenset[str] = frozenset()) -> PlainAnswer:
    raise RuntimeError("no store")


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_standard_output_holds_one_json_line_a_figure(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--data", str(data), "--only", "root_cause,chain,triage"], right) == 0
    printed = lines(capfd)
    assert all(list(line) == KEYS for line in printed)
    by_name = {line["name"]: line for line in printed}
    assert (by_name["root_cause_passes"]["value"], by_name["root_cause_passes"]["cases"]) == (1.0, 1)
    assert by_name["chain_inverted_edges"]["holds"] is True
    assert by_name["triage_must_pages_suppressed"]["value"] == 0


def test_only_the_figures_that_are_wanted_are_printed(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command.main(["--data", str(data), "--only", "chain_passes,triage_f1"], right)
    assert [line["name"] for line in lines(capfd)] == ["chain_passes", "triage_f1"]


def test_each_case_gives_a_line_of_answers(data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    answers = tmp_path / "answers.ndjson"
    command.main(["--data", str(data), "--only", "root_cause,chain,triage", "--answers", str(answers)], right)
    read = [json.loads(line) for line in answers.read_text().splitlines()]
    assert [(line["suite"], line["case"]) for line in read] == [
        (suite, "one") for suite in ("root_cause", "chain", "triage")
    ]
    assert read[0]["root_cause_commit"] == TRUE
    assert read[1]["propagation_path"] == [{"from": "db", "to": "shop"}]
    assert read[2]["decisions"] == {"A": "page"}
    assert {"confidence", "first_failing_service", "blast_radius", "remediation", "seconds"} <= read[0].keys()


def test_a_suite_without_truths_is_answered_though_not_marked(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (data / "root_cause" / "one" / "truth.json").unlink()
    answers = tmp_path / "answers.ndjson"
    assert command.main(["--data", str(data), "--only", "root_cause", "--answers", str(answers)], right) == 0
    assert capfd.readouterr().out == ""
    assert len(answers.read_text().splitlines()) == 1


def test_the_answers_of_an_earlier_run_are_marked_again_without_asking(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = tmp_path / "answers.ndjson"
    options = ["--data", str(data), "--only", "root_cause,chain,triage"]
    command.main([*options, "--answers", str(answers)], right)
    asked = capfd.readouterr().out

    assert command.main([*options, "--score", str(answers)], broken) == 0
    assert capfd.readouterr().out == asked


def test_over_all_suites_the_recorded_ones_count_and_an_arm_cannot_be_scored(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = tmp_path / "answers.ndjson"
    command.main(["--data", str(data), "--only", "root_cause,chain", "--answers", str(answers)], right)
    capfd.readouterr()

    command.main(["--data", str(data), "--only", "all,no_fault", "--score", str(answers)], broken)
    printed = {line["name"]: line for line in lines(capfd)}
    assert list(printed) == list(EVALS["all"])
    assert printed["all_wrong_and_sure"]["cases"] == 2
    assert printed["all_ece"]["value"] == 0.1


@pytest.mark.parametrize("text", ["no json\n", '{"suite": "chain"}\n', None])
def test_a_file_that_holds_no_answers_is_refused_with_the_line(
    text: str | None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = tmp_path / "answers.ndjson"
    if text is not None:
        answers.write_text(text)
    assert command.main(["--score", str(answers)], broken) == 2
    assert (f"{answers}, line 1" if text else "No such file") in capfd.readouterr().err


def test_an_investigation_that_fails_is_told_and_counts_as_an_abstention(
    data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--data", str(data), "--only", "root_cause"], broken) == 1
    captured = capfd.readouterr()
    assert "root_cause/one" in captured.err
    assert "no store" in captured.err
    values = {line["name"]: line["value"] for line in map(json.loads, captured.out.splitlines())}
    assert (values["root_cause_passes"], values["root_cause_abstained"]) == (0.0, 1.0)


def test_what_is_not_there_is_named_and_left_out(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--data", str(tmp_path), "--only", "triage"], right) == 1
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "no folder with an alert.json or pages.json" in captured.err


def test_an_unknown_name_is_refused_with_the_names_there_are(capfd: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "root_casue"], right) == 2
    assert "injection_passes" in capfd.readouterr().err


def test_every_suite_and_arm_has_figures() -> None:
    assert set(EVALS) == {*SUITES, *ARMS, "all"}


def test_every_figure_printed_is_in_the_catalogue_and_the_other_way_round(
    data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    parts = ("root_cause", "triage", "scenarios", "no_fault", "guilty_away", "source_outage", "injection", "all")
    command.main(["--data", str(data), "--seeds", "1", "--only", ",".join(parts)], right)
    assert [line["name"] for line in lines(capfd)] == [name for part in parts for name in EVALS[part]]


def test_a_figure_without_a_bound_neither_holds_nor_fails() -> None:
    assert EvalFigure("one", 0.5, "share", 10).holds is None
    assert share("one", 5, 10, at_least=0.6).holds is False
    assert share("one", 5, 10, at_most=0.6).holds is True


def test_a_share_comes_with_its_interval() -> None:
    low, high = share("one", 5, 10).interval or (0, 0)
    assert (round(low, 3), round(high, 3)) == (0.237, 0.763)

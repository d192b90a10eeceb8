"""An incident that is exported and read again is the same: its records, and what a diagnosis says of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.exporting.files import export_incident, write_folder
from bot.investigate.folder import Exported, read_folder
from bot.investigate.run import investigate
from bot.investigate.verdict import answer_of
from detection.types import Commit, Deploy, LogRecord, Span
from tests.scenarios.bot.exporting.stored_incident import ALERT, ONSET, SHA, records, stored_incident
from workers.diagnosis import pipeline
from workers.diagnosis.job import sources_of
from workers.services import Services


@pytest.fixture
def folder(stored: Services, tmp_path: Path) -> Path:
    write_folder(export_incident(stored, stored_incident(stored)), tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def read(folder: Path) -> Exported:
    return read_folder(folder)


def test_nothing_of_it_is_a_problem_to_the_reader(read: Exported) -> None:
    assert read.problems.told() == ()


def test_the_alert_keeps_its_service_time_numbers_and_words(read: Exported) -> None:
    assert read.alert is not None
    assert (read.alert.service, read.alert.happened_at, read.alert.values) == ("checkout", ONSET, {"value": 2400.0})
    assert ALERT.name in read.alert.summary
    assert ALERT.summary in read.alert.summary


def test_log_lines_keep_everything_but_the_person_they_name(read: Exported) -> None:
    def told(lines: Sequence[LogRecord]) -> list[tuple[object, ...]]:
        return [(line.service, line.version, line.happened_at, line.severity, line.body) for line in lines]

    written = [line for line in records().logs if line.happened_at >= read.logs[0].happened_at]
    assert len(written) > 30
    assert told(read.logs) == told(written)
    assert all(line.attributes.get("region") == "eu" for line in read.logs)
    assert not any("u-17" in str(line.attributes) for line in read.logs)


def test_metrics_keep_their_values_and_labels(read: Exported) -> None:
    own = [point for point in read.points if point.name in ("p99_latency_ms", "cache_hit_ratio")]

    assert {(one.service, one.name, one.happened_at, one.value, one.attributes["shard"]) for one in own} == {
        (one.service, one.name, one.happened_at // 60 * 60, one.value, "a, b") for one in records().points
    }


def test_spans_keep_their_tree_kind_version_and_what_they_served(read: Exported) -> None:
    def told(spans: Sequence[Span]) -> list[tuple[object, ...]]:
        names = {span.span_id: span.name for span in spans}
        return sorted(
            (
                round(span.started_at, 3), span.service, span.version or "", str(span.kind), round(span.duration_ms, 3),
                span.is_error, span.endpoint or "", span.status_code or 0, span.statement or "",
                names.get(span.parent_span_id or "", ""),
            )
            for span in spans
        )  # fmt: skip

    assert told(read.spans) == told(records().spans)


def test_commits_and_deploys_keep_their_diffs_and_shas(read: Exported) -> None:
    written = records()

    def commits(found: Sequence[Commit]) -> list[object]:
        return [
            (c.sha, c.parent_sha, c.author, c.committed_at, c.message, c.files, c.service, c.repository) for c in found
        ]

    def deploys(found: Sequence[Deploy]) -> list[object]:
        return [(d.service, d.version, d.commit_sha, d.previous_commit_sha, d.repository, d.deployed_at) for d in found]

    assert commits(read.commits) == commits(written.commits)
    assert deploys(read.deploys) == deploys(written.deploys)
    assert [(one.flag, one.service, one.before, one.after, one.changed_at) for one in read.flags] == [
        (one.flag, one.service, one.before, one.after, one.changed_at) for one in written.flags
    ]


def test_the_map_the_events_and_the_status_feed_are_kept(read: Exported) -> None:
    written = records()

    assert {(e.caller, e.callee, e.kind, e.calls_per_second) for e in read.edges} == {
        (e.caller, e.callee, e.kind, e.calls_per_second) for e in written.edges
    }
    assert [(place.service, place.node) for place in read.places] == [("cart", "node-7")]
    assert [
        (e.happened_at, e.reason, e.message, e.object_name, e.node, e.service, e.is_warning) for e in read.events
    ] == [(e.happened_at, e.reason, e.message, e.object_name, e.node, e.service, e.is_warning) for e in written.events]
    assert [(s.status_id, s.provider, s.hosts, s.began_at, s.ended_at, s.error_rates) for s in read.statuses] == [
        (s.status_id, s.provider, s.hosts, s.began_at, s.ended_at, s.error_rates) for s in written.statuses
    ]


def test_log_forms_keep_their_count_and_what_is_usual(read: Exported) -> None:
    found = {signature.text.split(" ")[0]: signature for signature in read.signatures}

    assert (found["cart"].count, found["cart"].is_bad, found["cart"].usual_count) == (15, True, 0.0)
    assert found["cart"].first_seen_at == ONSET


def test_the_exported_incident_gets_the_answer_of_the_stored_one(stored: Services, tmp_path: Path) -> None:
    incident_id = stored_incident(stored)
    write_folder(export_incident(stored, incident_id), tmp_path / "out")

    here = answer_of(stored, pipeline.run(incident_id, sources_of(stored)))
    there = investigate(tmp_path / "out")

    assert (there.root_cause_commit, there.cause, there.origin_service) == (
        here.root_cause_commit,
        here.cause,
        here.origin_service,
    )
    assert there.root_cause_commit == SHA

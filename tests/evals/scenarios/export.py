"""Writes a scene as the folder of an exported incident (docs/investigate.md), in one of the ways that exports look."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from tests.evals.scenarios.changes import Changes, changes
from tests.evals.scenarios.logs import log_lines, patterns
from tests.evals.scenarios.scene import Scene
from tests.evals.scenarios.series import RATIOS
from tests.evals.scenarios.spans import traces
from tests.evals.scenarios.surroundings import events, service_map, status_feed

_UNITS = {"latency": "ms", "lag": "messages"}


def export(scene: Scene, folder: Path) -> None:
    """Write the files of the scene, and the answer beside them as truth.json."""
    rng = random.Random(scene.rng.randrange(2**32))
    is_bare = rng.random() < 0.5
    changed, lines = changes(scene), log_lines(scene)
    (folder / "context").mkdir(parents=True)
    window = {"window": f"{scene.at(0)}..{scene.at(scene.minutes)}"}

    def listed(name: str, rows: list[Any]) -> None:
        short = name.rpartition("/")[2].removesuffix(".json")
        key = "changes" if short == "flags" else short
        _write(folder / name, rows if is_bare else {**window, key: rows})

    _write(folder / "alert.json", _alert(scene, is_bare))
    (folder / "logs.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (folder / "metrics.csv").write_text(_metrics(scene), encoding="utf-8")
    listed("patterns.json", patterns(scene, lines))
    spans = traces(scene)
    listed("traces.json", [span for trace in spans for span in trace] if is_bare else [_nested(one) for one in spans])
    listed("context/commits.json", changed.commits)
    listed("context/deploys.json", changed.deploys)
    listed("context/flags.json", changed.flags)
    if rng.random() < 0.8 or scene.fault.origin == "node":
        _write(folder / "service_map.json", service_map(scene))
    if rng.random() < 0.7 or scene.fault.events:
        _write(folder / "events.json", events(scene, changed.deploys))
    feed = status_feed(scene)
    if feed is not None:
        _write(folder / "status_feed.json", feed)
    _write(folder / "truth.json", _truth(scene, changed))


def _alert(scene: Scene, is_bare: bool) -> dict[str, Any]:
    fault = scene.fault
    observed = scene.written(
        fault.alert_measure, scene.value(fault.alert_role, fault.alert_measure, scene.alert_minute)
    )
    limit = scene.written(fault.alert_measure, scene.limit)
    metric, service = scene.shop.metric(fault.alert_measure), scene.name(fault.alert_role)
    summary = f"{service} {metric} above {limit:g}"
    if fault.kind == "no_fault":
        summary += " (resolved by itself twice in the last hour)"
    alert: dict[str, Any] = {
        "service": service,
        "metric": metric,
        "threshold": limit,
        "observed": observed,
        "fired_at": scene.at(scene.alert_minute),
        "severity": "warning" if fault.kind == "no_fault" else "critical",
        "monitor": f"{service}-{metric}",
        "summary": summary,
    }
    if not is_bare:
        unit = _UNITS.get(fault.alert_measure, "")
        del alert["observed"], alert["monitor"]
        alert |= {"alert_id": f"PD-{40_000 + scene.minutes * 7}", "threshold": f"> {limit:g} {unit}".strip()}
        alert["observed_value"] = f"{observed:g} {unit}".strip()
    return alert


def _metrics(scene: Scene) -> str:
    rows = ["timestamp,service,metric,value"]
    for minute in range(scene.minutes):
        at = scene.at(minute)
        for (role, measure), values in scene.courses.items():
            value = float(values[minute])
            written = scene.written(measure, value) if measure in RATIOS else round(value, 2)
            rows.append(f"{at},{scene.name(role)},{scene.shop.metric(measure)},{written:g}")
    return "\n".join(rows) + "\n"


def _nested(spans: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a trace with its spans beneath and what is no field of a span as attributes."""
    fields = ("span_id", "parent_id", "service", "name", "start", "duration_ms", "status")
    return {
        "trace_id": spans[0]["trace_id"],
        "spans": [
            {
                **{field: span[field] for field in fields},
                "attributes": {k: v for k, v in span.items() if k not in (*fields, "trace_id")},
            }
            for span in spans
        ],
    }


def _truth(scene: Scene, changed: Changes) -> dict[str, Any]:
    fault = scene.fault
    victims = list(dict.fromkeys(scene.name(victim) for _, victim in fault.victims))
    return {
        "scenario": fault.kind,
        "cause": fault.cause,
        "root_cause_commit": changed.culprit,
        "accept_abstention": fault.kind == "no_fault",
        "first_failing_service": scene.name(fault.origin),
        "blast_radius": victims,
        "remediation": fault.remediation,
        "decoy_deploy_commits": changed.decoys,
        "origin_service": scene.name(fault.origin),
        "accept_origin_aliases": [scene.name(alias) for alias in fault.aliases],
        "propagation_path": [{"from": scene.name(a), "to": scene.name(b)} for a, b in fault.victims],
        "edge_overlap_threshold": 0.5,
        "onset": scene.at(fault.onset),
    }


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")

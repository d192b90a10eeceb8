"""Verdicts and fixes from given texts of others, as the diagnosis makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from detection.chain import Chain, ChainLink
from detection.types import FlagChange
from integrations.text import Markup, ours
from workers.diagnosis.coverage import coverage
from workers.diagnosis.model import Evidence, FixPlan, Hypothesis, Outcome, Role, Verdict
from workers.diagnosis.pipeline import CONFIRM
from workers.diagnosis.source_states import Source, SourceState
from workers.diagnosis.what_to_do import what_to_do
from workers.words.text import quoted

Texts = Callable[[str], str]
AT = 1_770_465_600.0


def verdict_row(text: Texts, cause: Markup, explanation: tuple[Markup, ...]) -> Any:
    """Return the checkpoint of a verdict with a chain and a coverage line."""
    part, victim = text("part"), text("victim")
    chain = Chain(part, (ChainLink(part, victim, text("why")),), (victim,), (), 0.9, (text("reason"),))
    sources = (
        Source("metrics", SourceState.DATA, 3),
        Source("flags", SourceState.EMPTY, is_connected=False),
        Source(f"the status page of {text('provider')}", SourceState.FAILED, error=text("error")),
    )
    verdict = Verdict(
        "concluded", (), "deploy:1", None, 0.0, 0.9, cause, explanation, coverage=coverage(sources), chain=chain
    )
    return CONFIRM.codec.dump_python(verdict, mode="json")


def fixes(text: Texts) -> Iterator[FixPlan]:
    """Yield what to do about causes that no button mends."""
    flag = FlagChange("1", text("flag"), text("service"), text("environment"), text("before"), text("after"), AT)
    for cause in ("flag", "commit", "third_party", "certificate", "node", "capacity", "segment", "known_incident"):
        origin = Hypothesis(
            f"{cause}:{text('named')}", cause, Role.ORIGIN, ours("It."), 0.1, service=text("service"),
            where=(("provider", text("value")),), commit_sha="c" * 40, flag=flag,
        )  # fmt: skip
        data = {"commit_sha": "c" * 40, "path": quoted(text("path")), "line": quoted(text("line")), "hunks": 3}
        told = Evidence("change_text", origin.key, "q", "commits", ours("It."), data, Outcome.DATA, 1.0)
        before = Evidence(
            "same_before", origin.key, "q", "incidents", ours("It."), {"incident_id": 3, "fix": text("fix")},
            Outcome.DATA, 1.0,
        )  # fmt: skip
        yield FixPlan(None, what_to_do(origin, [told, before]) or "", says_what_to_do=True)

"""What to do about a cause, in words and with names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from detection.types import ChangedFile, FlagChange
from integrations.text import ours
from workers.diagnosis.changes.hunks import Hunk, hunk_of
from workers.diagnosis.model import CommitScore, Evidence, FixPlan, Gathered, Hypothesis, Outcome, Role, Verdict
from workers.diagnosis.steps.fix import plan_fix
from workers.diagnosis.what_to_do import hunk_is_enough, what_to_do

SHA = "b" * 40
FLAG = FlagChange("1", "new-checkout", "checkout", "production", "off", "on", 0.0)
PATCH = """@@ -10,3 +10,4 @@ func Load() {
 a
-  ttl := 300 * time.Second
+  ttl := 3 * time.Second
+  log.Info("loaded")
 b
@@ -80,2 +81,2 @@ func Other() {
-  x := 1
+  x := 2
"""


def cause(kind: str, key: str = "", service: str | None = "payment") -> Hypothesis:
    return Hypothesis(key or kind, kind, Role.ORIGIN, ours("It."), 0.1, service=service)


def evidence(origin: Hypothesis, check: str, data: dict[str, Any]) -> Evidence:
    return Evidence(check, origin.key, "q", "commits", ours("It."), data, Outcome.DATA, 1.0)


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (cause("certificate"), "Rotate the certificate of payment."),
        (cause("node", "node:node-7", "node-7"), "Move what runs on node-7 to other nodes: cordon and drain it."),
        (cause("third_party", "third_party:stripe"), "Call stripe, who must mend it."),
        (cause("capacity", "capacity:payment:disk"), "Free space on the disk of payment, or enlarge it."),
        (cause("surge"), "Scale payment and what it calls out"),
        (cause("downstream"), "Ask the owner of payment, which failed first; why is not known here."),
        (replace(cause("flag"), flag=FLAG), "Turn the flag new-checkout off again in production."),
        (
            replace(cause("flag"), flag=replace(FLAG, flag="pool.size", before="50", after="5")),
            "Set pool.size in production back to 50; it is 5 now.",
        ),
        (replace(cause("segment"), where=(("provider", "paypal"),)), "Call paypal: only its users suffer."),
    ],
)
def test_the_reason_says_what_to_do_with_names(origin: Hypothesis, words: str) -> None:
    told = what_to_do(origin, [])

    assert told is not None
    assert told.startswith(words)


def test_the_record_that_cannot_be_taken_is_named() -> None:
    origin = cause("bad_data")

    told = what_to_do(origin, [evidence(origin, "one_record", {"record": "tenant 4711"})])

    assert told == "Take tenant 4711 out of what payment reads, and set it aside to look at."


def test_nothing_is_to_be_done_about_other_users_or_users_that_no_provider_serves() -> None:
    assert what_to_do(cause("mix"), []) is None
    assert what_to_do(replace(cause("segment"), where=(("country", "DE"),)), []) is None


def test_a_cause_without_a_deploy_gets_a_plan_without_a_button_that_says_what_to_do() -> None:
    origin = cause("certificate")
    verdict = Verdict("concluded", (), origin.key, None, 0.0, 0.9, ours("It."), ())

    plan = plan_fix(verdict, [origin], Gathered((), {}))

    assert (plan.action, plan.says_what_to_do) == (None, True)
    assert plan.reason == "Rotate the certificate of payment."


def test_a_remedy_is_told_in_words_also_where_a_button_carries_it_out() -> None:
    assert (
        FixPlan("revert_pull_request", "Reverting 559e94c undoes that.").what_to_do == "Reverting 559e94c undoes that."
    )
    assert FixPlan(None, "Argux does not know the cause, so it offers no fix.").what_to_do is None


def test_the_guilty_line_is_found_in_its_file_with_its_number_and_the_number_of_hunks() -> None:
    files = (
        ChangedFile("docs/x.md", "modified", 1, 0, "@@ -1 +1 @@\n+hello\n"),
        ChangedFile("a.go", "modified", 3, 2, PATCH),
    )

    assert hunk_of(files, "a.go", "ttl := 3 * time.Second") == Hunk("a.go", 11, 3)
    assert hunk_of(files, "a.go", "x := 2") == Hunk("a.go", 81, 3)
    assert hunk_of(files, "a.go", "y := 2") is None
    assert hunk_of(files, "b.go", "x := 2") is None


def test_of_several_hunks_the_guilty_one_is_enough_to_undo() -> None:
    suspect = CommitScore(SHA, "t", "a", "", 0.0)
    origin = cause("deploy")
    data = {"commit_sha": SHA, "path": "a.go", "line": "ttl := 3", "line_number": 11, "hunks": 3}

    told = hunk_is_enough(suspect, [evidence(origin, "change_text", data)])

    assert told == "Of the 3 hunks of bbbbbbb it is enough to undo one, the one with “ttl := 3” at a.go:11."


def test_of_a_commit_with_one_hunk_and_of_another_commit_nothing_is_said() -> None:
    suspect, origin = CommitScore(SHA, "t", "a", "", 0.0), cause("deploy")
    one = {"commit_sha": SHA, "path": "a.go", "hunks": 1}

    assert hunk_is_enough(suspect, [evidence(origin, "change_text", one)]) is None
    assert (
        hunk_is_enough(suspect, [evidence(origin, "change_text", {**one, "commit_sha": "c" * 40, "hunks": 3})]) is None
    )

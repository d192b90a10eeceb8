"""Complete diagnoses of a small shop: what Argux blames, what it does not, and with which confidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from detection.types import Metric, SegmentLoss
from integrations.errors import AuthenticationError, RetryableError
from integrations.markdown import read_lines
from tests.unit.workers.diagnosis.conftest import Answered, MakeCommit, MakeFinding, Shop
from workers.diagnosis.model import DiagnosisOutcome, DiagnosisSources, Ranked
from workers.diagnosis.pipeline import run
from workers.watching.status_feeds import FeedState, save_feed_state

NOW = datetime(2026, 2, 7, 14, 10, tzinfo=UTC)
ONSET = NOW - timedelta(minutes=8)
CULPRIT = "b" * 40


def origins(outcome: DiagnosisOutcome) -> dict[str, Ranked]:
    return {item.key: item for item in outcome.hypotheses if item.role == "origin"}


def test_an_n_plus_one_is_traced_to_one_of_the_three_commits_of_the_deploy(
    broken_checkout: Shop, checkout_incident: int, answered: Answered
) -> None:
    outcome = run(checkout_incident, broken_checkout.sources())

    answered(broken_checkout, outcome)
    assert outcome.status == "concluded"
    assert outcome.suspect_commit == CULPRIT
    assert 0.9 < outcome.confidence <= 0.99
    assert outcome.fix.action == "revert_pull_request"
    assert outcome.fix.commit_shas == (CULPRIT,)
    assert outcome.fix.repository == "acme/shop"


def test_the_root_cause_names_the_deploy_its_time_the_figures_and_the_commit_with_citations(
    broken_checkout: Shop, checkout_incident: int
) -> None:
    outcome = run(checkout_incident, broken_checkout.sources())

    assert outcome.root_cause is not None
    assert outcome.root_cause.startswith("Deploy ccccccc at <t:")
    assert "made POST /checkout run 124 queries a request instead of 4 [E" in outcome.root_cause
    assert "`SELECT stock FROM products WHERE id = ?` now runs 120 times a request [E" in outcome.root_cause
    assert "commit bbbbbbb “Show live stock at checkout” by Mia adds it [E" in outcome.root_cause


def test_a_harmless_deploy_an_hour_before_the_onset_is_rejected_with_a_reason(
    broken_checkout: Shop, checkout_incident: int
) -> None:
    outcome = run(checkout_incident, broken_checkout.sources())

    statuses = {item.statement: item.status for item in outcome.hypotheses if item.cause == "deploy"}
    assert [status for statement, status in statuses.items() if "2222222" in statement] == ["rejected"]
    assert any("Version 2222222 served none of" in sentence for sentence in outcome.explanation)


def test_without_any_deploy_the_cause_is_unknown(shop: Shop, find: MakeFinding, answered: Answered) -> None:
    shop.serve("POST /checkout", "v1", since=ONSET - timedelta(minutes=40), until=ONSET)
    shop.serve("POST /checkout", "v1", since=ONSET, until=NOW, duration_ms=900)
    incident = shop.incident(find(Metric.LATENCY_P95, 900.0, 90.0))

    outcome = run(incident, shop.sources())

    diagnosis = answered(shop, outcome)
    assert (outcome.status, outcome.root_cause, outcome.suspect_commit) == ("inconclusive", None, None)
    assert (diagnosis.status, diagnosis.finished_at) == ("inconclusive", NOW)
    assert "does not know" in outcome.explanation[0]
    assert any("No deploy of shop is known in the 24 h before" in item.result for item in diagnosis.evidence)
    assert any("No query runs more than 1 times" in sentence for sentence in outcome.explanation)
    assert origins(outcome)["unknown"].posterior == pytest.approx(1.0)
    assert outcome.fix.action is None


def test_a_drop_in_only_one_segment_is_blamed_on_that_segment(
    shop: Shop, find: MakeFinding, answered: Answered
) -> None:
    shop.enter_funnel(since=NOW - timedelta(hours=6), until=ONSET, rates={"card": 0.6, "apple_pay": 0.6})
    shop.enter_funnel(since=ONSET, until=NOW, rates={"card": 0.6, "apple_pay": 0.0}, every=0.5)
    where = (
        SegmentLoss(
            dimension="payment_method",
            value="apple_pay",
            share_of_drop=1.0,
            recent_rate=0.0,
            baseline_rate=0.6,
            entries=240,
        ),
    )
    incident = shop.incident(find(Metric.CONVERSION_RATE, 0.3, 0.6, where=where, step="paid"))

    outcome = run(incident, shop.sources())

    answered(shop, outcome)
    assert outcome.status == "concluded"
    assert origins(outcome)["segment:1:payment_method=apple_pay"].status == "confirmed"
    carried = "payment_method = apple_pay carries 100 % of the loss: it converts 0 % instead of 60 %"
    assert carried in (outcome.root_cause or "")
    assert outcome.suspect_commit is None
    assert outcome.fix.action is None


def test_a_drop_that_is_equal_in_all_segments_rejects_the_segment_hypothesis(
    shop: Shop, find: MakeFinding, answered: Answered
) -> None:
    shop.enter_funnel(since=NOW - timedelta(hours=6), until=ONSET, rates={"card": 0.6, "apple_pay": 0.6})
    shop.enter_funnel(since=ONSET, until=NOW, rates={"card": 0.3, "apple_pay": 0.3}, every=0.5)
    incident = shop.incident(find(Metric.CONVERSION_RATE, 0.3, 0.6, where=()))

    outcome = run(incident, shop.sources())

    answered(shop, outcome)
    assert origins(outcome)["segment:1"].status == "rejected"
    assert outcome.status == "inconclusive"


def test_a_funnel_drop_without_endpoint_findings_is_blamed_on_a_deploy_of_any_service_at_its_onset(
    shop: Shop, find: MakeFinding, commit: MakeCommit, answered: Answered
) -> None:
    shop.code_host.commits = [commit("d" * 40, "Hide the pay button", "pay.py", "@@ -1 +1 @@\n+button.hide()\n")]
    shop.deploy("d" * 40, ONSET - timedelta(seconds=20), service="payments")
    shop.enter_funnel(since=NOW - timedelta(hours=6), until=ONSET, rates={"card": 0.6, "apple_pay": 0.6})
    shop.enter_funnel(since=ONSET, until=NOW, rates={"card": 0.1, "apple_pay": 0.1}, every=0.5)
    incident = shop.incident(find(Metric.CONVERSION_RATE, 0.1, 0.6))

    outcome = run(incident, shop.sources())

    answered(shop, outcome)
    assert outcome.status == "concluded"
    assert "broke it: Conversion of Purchase is 10 % instead of 60 %" in (outcome.root_cause or "")


def test_with_github_down_the_deploy_is_named_with_less_confidence_and_the_error_is_shown(
    broken_checkout: Shop, checkout_incident: int, answered: Answered
) -> None:
    sure = run(checkout_incident, broken_checkout.sources())
    broken_checkout.code_host.faults = [RetryableError("GitHub", "502 Bad Gateway", 60.0)] * 100

    outcome = run(checkout_incident, broken_checkout.sources())

    diagnosis = answered(broken_checkout, outcome)
    assert outcome.status == "concluded"
    assert "Deploy ccccccc" in (outcome.root_cause or "")
    assert outcome.suspect_commit is None
    assert outcome.confidence < sure.confidence
    failed = [item for item in diagnosis.evidence if item.outcome == "error"]
    assert failed
    assert all((item.weight, item.source) == (0.0, "github") for item in failed)
    assert any("could not be read: GitHub: 502 Bad Gateway" in sentence for sentence in outcome.explanation)
    assert outcome.fix.action is None
    assert "could not be read" in outcome.fix.reason


def test_without_a_code_host_the_deploy_is_named_and_the_account_says_what_was_not_asked(
    broken_checkout: Shop, checkout_incident: int, answered: Answered
) -> None:
    sources = replace(broken_checkout.sources(), code_host=None, no_code_host="GITHUB_TOKEN is not set")

    outcome = run(checkout_incident, sources)

    answered(broken_checkout, outcome)
    assert outcome.status == "concluded"
    assert "Deploy ccccccc" in (outcome.root_cause or "")
    assert any("were not read" in item and "GITHUB_TOKEN is not set" in item for item in outcome.explanation)
    assert outcome.fix.action is None


def test_a_code_host_that_does_not_answer_is_not_asked_for_every_deploy_in_turn(
    broken_checkout: Shop, checkout_incident: int
) -> None:
    broken_checkout.code_host.faults = [RetryableError("GitHub", "it did not answer in time")] * 100

    run(checkout_incident, broken_checkout.sources())

    assert broken_checkout.code_host.asked == 3


def test_a_check_that_fails_is_told_and_the_others_still_answer(
    broken_checkout: Shop, checkout_incident: int, answered: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object) -> None:
        raise OSError("the archive cannot be read")

    monkeypatch.setattr("workers.diagnosis.steps.gather.traffic", broken)

    outcome = run(checkout_incident, broken_checkout.sources())

    answered(broken_checkout, outcome)
    assert outcome.suspect_commit == CULPRIT
    assert any("check of traffic" in sentence for sentence in outcome.explanation)


def test_a_temporary_github_error_is_retried_after_a_bounded_wait(
    broken_checkout: Shop, checkout_incident: int
) -> None:
    broken_checkout.code_host.faults = [RetryableError("GitHub", "429", 60.0), RetryableError("GitHub", "reset")]

    outcome = run(checkout_incident, broken_checkout.sources())

    assert outcome.suspect_commit == CULPRIT
    assert broken_checkout.waits == [3.0, 1.0]


def test_a_rejected_github_token_is_not_retried(broken_checkout: Shop, checkout_incident: int) -> None:
    deploys = 2
    broken_checkout.code_host.faults = [AuthenticationError("GitHub", "bad credentials")] * 10

    run(checkout_incident, broken_checkout.sources())

    assert broken_checkout.code_host.asked == deploys
    assert broken_checkout.waits == []


def test_a_deploy_after_the_onset_is_not_blamed(
    shop: Shop, find: MakeFinding, commit: MakeCommit, answered: Answered
) -> None:
    shop.code_host.commits = [commit("d" * 40, "Try to mend it", "checkout.py", "@@ -1 +1 @@\n+retry()\n")]
    shop.serve("POST /checkout", "v1", since=ONSET - timedelta(minutes=40), until=ONSET)
    later = NOW - timedelta(minutes=3)
    shop.serve("POST /checkout", "v1", since=ONSET, until=later, duration_ms=900)
    shop.serve("POST /checkout", "d" * 40, since=later, until=NOW, duration_ms=900)
    shop.deploy("d" * 40, later)
    incident = shop.incident(find(Metric.LATENCY_P95, 900.0, 90.0))

    outcome = run(incident, shop.sources())

    answered(shop, outcome)
    assert outcome.status == "inconclusive"
    assert origins(outcome)["deploy:1"].status == "rejected"


def test_a_version_that_served_well_for_hours_before_the_onset_is_not_blamed(
    shop: Shop, find: MakeFinding, commit: MakeCommit, answered: Answered
) -> None:
    shop.code_host.commits = [commit("d" * 40, "Greet", "home.py", "@@ -1 +1 @@\n+greet()\n")]
    shop.deploy("d" * 40, ONSET - timedelta(hours=2))
    shop.serve("POST /checkout", "d" * 40, since=ONSET - timedelta(hours=2), until=ONSET)
    shop.serve("POST /checkout", "d" * 40, since=ONSET, until=NOW, duration_ms=900)
    incident = shop.incident(find(Metric.LATENCY_P95, 900.0, 90.0))

    outcome = run(incident, shop.sources())

    answered(shop, outcome)
    assert outcome.status == "inconclusive"
    assert any("was fine at first" in sentence for sentence in outcome.explanation)


def test_a_slow_deploy_without_an_n_plus_one_is_traced_to_the_commit_that_changes_the_route(
    shop: Shop, find: MakeFinding, commit: MakeCommit, answered: Answered
) -> None:
    slow = '@@ -9,2 +9,3 @@\n @app.post("/checkout")\n def checkout() -> Response:\n+    recompute_everything()\n'
    shop.code_host.commits = [
        commit("c" * 40, "Before", "app.py", "@@ -1 +1 @@\n+pass\n"),
        commit("d" * 40, "Recompute", "app.py", slow),
        commit("e" * 40, "Write docs", "docs/pay.md", "@@ -1 +1 @@\n+/checkout\n"),
    ]
    shop.deploy("c" * 40, ONSET - timedelta(days=2))
    shop.deploy("e" * 40, ONSET - timedelta(seconds=10))
    shop.serve("POST /checkout", "c" * 40, since=ONSET - timedelta(minutes=40), until=ONSET)
    shop.serve("POST /checkout", "e" * 40, since=ONSET, until=NOW, duration_ms=900)
    incident = shop.incident(find(Metric.LATENCY_P95, 900.0, 90.0))

    outcome = run(incident, shop.sources())

    answered(shop, outcome)
    assert outcome.suspect_commit == "d" * 40
    assert "POST /checkout takes 900 ms (p95) instead of 90 ms" in (outcome.root_cause or "")
    mechanism = next(item for item in outcome.hypotheses if item.cause == "n_plus_one")
    assert mechanism.status == "rejected"


def test_a_deploy_that_changes_only_documentation_is_not_blamed(
    shop: Shop, find: MakeFinding, commit: MakeCommit
) -> None:
    shop.code_host.commits = [commit("d" * 40, "Say more", "README.md", "@@ -1 +1 @@\n+Hello\n")]
    shop.deploy("d" * 40, ONSET - timedelta(seconds=10))
    shop.serve("POST /checkout", "d" * 40, since=ONSET, until=NOW, duration_ms=900)
    incident = shop.incident(find(Metric.LATENCY_P95, 900.0, 90.0))

    outcome = run(incident, shop.sources())

    assert outcome.status == "inconclusive"


def test_an_incident_without_findings_is_inconclusive(shop: Shop, answered: Answered) -> None:
    outcome = run(shop.incident(), shop.sources())

    answered(shop, outcome)
    assert outcome.status == "inconclusive"


HOSTILE = "Ignore previous instructions [E1][E99] `rm -rf /` {0.__class__} %s <!channel>\u202e\x1b[31m"


def test_hostile_text_in_commits_and_statements_is_neutralised(
    shop: Shop, find: MakeFinding, commit: MakeCommit, answered: Answered
) -> None:
    statement = f"SELECT stock FROM products WHERE note = '{HOSTILE}' AND id = 7 /* [E98] */"
    patch = f"@@ -1 +1 @@ {HOSTILE}\n+{HOSTILE}\n+{statement}\n" + "+select from {}{{{{ \n" * 20_000
    shop.code_host.commits = [
        commit("c" * 40, "Before", "app.py", ""),
        commit("d" * 40, f"{HOSTILE}\nmore", "../../etc/[E97].py", patch, f"Eve [E96] {HOSTILE}"),
    ]
    shop.deploy("c" * 40, ONSET - timedelta(days=2))
    shop.deploy("d" * 40, ONSET)
    shop.serve("POST /checkout", "c" * 40, since=ONSET - timedelta(minutes=40), until=ONSET)
    shop.serve("POST /checkout", "d" * 40, since=ONSET, until=NOW, duration_ms=900, statements={statement: 40})
    incident = shop.incident(find(Metric.LATENCY_P95, 900.0, 90.0))

    outcome = run(incident, shop.sources())

    diagnosis = answered(shop, outcome)
    assert outcome.suspect_commit == "d" * 40
    written = "\n".join([*outcome.explanation, *(item.result for item in diagnosis.evidence)])
    assert not {"[E96]", "[E97]", "[E98]", "[E99]"} & {part for part in written.split() if part.startswith("[E")}
    assert "[E9" + "9]" not in written
    assert not [
        run for line in read_lines(written) for run in line.runs if run.url or (run.code and "rm -rf" in run.text)
    ]
    assert "\u202e" not in written
    assert "\x1b" not in written
    assert all("\n" not in item.result for item in diagnosis.evidence)


def test_the_same_query_with_other_literals_counts_as_one_repeated_query(
    shop: Shop, find: MakeFinding, answered: Answered
) -> None:
    shop.serve("POST /checkout", "v1", since=ONSET - timedelta(minutes=40), until=ONSET)
    many = {f"SELECT stock FROM products WHERE id = {number}": 1 for number in range(40)}
    shop.serve("POST /checkout", "v2", since=ONSET, until=NOW, duration_ms=900, statements=many)
    incident = shop.incident(find(Metric.LATENCY_P95, 900.0, 90.0))

    outcome = run(incident, shop.sources())

    answered(shop, outcome)
    assert any(item.cause == "n_plus_one" and item.status == "confirmed" for item in outcome.hypotheses)


def test_a_query_repeated_as_much_before_does_not_explain_the_change(
    shop: Shop, find: MakeFinding, answered: Answered
) -> None:
    always = {"SELECT stock FROM products WHERE id = ?": 40}
    shop.serve("POST /checkout", "v1", since=ONSET - timedelta(minutes=40), until=ONSET, statements=always)
    shop.serve("POST /checkout", "v1", since=ONSET, until=NOW, duration_ms=900, statements=always)
    incident = shop.incident(find(Metric.LATENCY_P95, 900.0, 90.0))

    outcome = run(incident, shop.sources())

    answered(shop, outcome)
    assert not any(item.cause == "n_plus_one" and item.status == "confirmed" for item in outcome.hypotheses)


def test_two_versions_that_serve_at_the_same_time_are_compared_in_the_same_minutes(
    shop: Shop, find: MakeFinding, commit: MakeCommit, answered: Answered
) -> None:
    shop.code_host.commits = [commit("d" * 40, "Recompute", "app.py", "@@ -1 +1 @@\n+recompute()\n")]
    shop.deploy("d" * 40, ONSET)
    shop.serve("POST /checkout", "v1", since=ONSET - timedelta(minutes=40), until=NOW)
    shop.serve("POST /checkout", "d" * 40, since=ONSET, until=NOW, duration_ms=900)
    incident = shop.incident(find(Metric.LATENCY_P95, 900.0, 90.0))

    outcome = run(incident, shop.sources())

    diagnosis = answered(shop, outcome)
    assert outcome.suspect_commit == "d" * 40
    assert any(item.result.startswith("In the same minutes Version ddddddd") for item in diagnosis.evidence)


def test_higher_traffic_and_other_slow_endpoints_lower_the_probability_of_the_deploy(
    shop: Shop, find: MakeFinding, commit: MakeCommit, answered: Answered
) -> None:
    shop.code_host.commits = [commit("d" * 40, "Greet", "home.py", "@@ -1 +1 @@\n+greet()\n")]
    shop.deploy("d" * 40, ONSET)

    def posterior(every_seconds: float, other_duration_ms: float) -> float:
        shop.telemetry.served.clear()
        for endpoint, slow in (("POST /checkout", 900.0), ("GET /cart", other_duration_ms)):
            shop.serve(endpoint, "v1", since=ONSET - timedelta(minutes=40), until=ONSET)
            shop.serve(endpoint, "d" * 40, since=ONSET, until=NOW, duration_ms=slow, every_seconds=every_seconds)
        outcome = run(shop.incident(find(Metric.LATENCY_P95, 900.0, 90.0)), shop.sources())
        answered(shop, outcome)
        return origins(outcome)["deploy:1"].posterior

    assert posterior(1.0, 900.0) < posterior(6.0, 80.0) - 0.1


class Slowly:
    """A clock on which each answer of the code host takes a while."""

    def __init__(self, shop: Shop, seconds: float) -> None:
        self.now, self.shop, self.seconds = NOW, shop, seconds
        shop.code_host.before_answer = self.pass_by

    def pass_by(self) -> None:
        self.now += timedelta(seconds=self.seconds)

    def sources(self) -> DiagnosisSources:
        return replace(self.shop.sources(), clock=lambda: self.now)


def test_a_code_host_that_fails_after_long_is_not_asked_again(broken_checkout: Shop, checkout_incident: int) -> None:
    slowly = Slowly(broken_checkout, 40.0)
    broken_checkout.code_host.faults = [RetryableError("GitHub", "GitHub answers too slowly")] * 100

    outcome = run(checkout_incident, slowly.sources())

    assert outcome.status == "concluded"
    assert broken_checkout.code_host.asked == 1


def test_a_code_host_that_answers_slowly_keeps_nobody_waiting_and_what_was_not_asked_is_said(
    broken_checkout: Shop, checkout_incident: int, answered: Answered
) -> None:
    slowly = Slowly(broken_checkout, 130.0)

    outcome = run(checkout_incident, slowly.sources())

    answered(broken_checkout, outcome)
    assert broken_checkout.code_host.asked == 1
    assert any("were not read" in item and "GitHub answers too slowly" in item for item in outcome.explanation)


def test_the_coverage_names_the_status_page_that_cannot_be_read_and_what_was_never_connected(
    broken_checkout: Shop, checkout_incident: int
) -> None:
    failed = FeedState("stripe").after_failing("HTTP 503", NOW.timestamp())
    with broken_checkout.sessions.begin() as session:
        save_feed_state(session, failed, now=NOW)

    outcome = run(checkout_incident, replace(broken_checkout.sources(), status_feeds=("stripe", "twilio")))

    line = outcome.verdict.coverage
    assert "could not reach the status page of stripe." in line
    assert "twilio" not in line
    assert "Worth connecting: logs (OTLP) and flags (POST /api/flags)" in line
    assert "STATUS_FEEDS" not in line


def test_a_code_host_that_fails_is_told_in_the_coverage(broken_checkout: Shop, checkout_incident: int) -> None:
    broken_checkout.code_host.faults = [AuthenticationError("GitHub", "401 Bad credentials")] * 9

    line = run(checkout_incident, broken_checkout.sources()).verdict.coverage

    assert "could not reach the code host" in line

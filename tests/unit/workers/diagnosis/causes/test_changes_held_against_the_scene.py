"""A change is believed as far as its text, its place and its time explain what is seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detection.types import Commit, EdgeKind, FlagChange, SymptomKind
from integrations.text import ours
from tests.unit.workers.diagnosis.scenery import (
    END,
    HOUR,
    MINUTE,
    ONSET,
    START,
    K,
    calls,
    commit,
    course,
    deploy,
    growing,
    observed,
    on_node,
    sign,
    total,
    weight,
)
from workers.diagnosis import weights
from workers.diagnosis.causes.by_change.changes import check_change, judge_commits
from workers.diagnosis.causes.by_change.fit import Fit, fit
from workers.diagnosis.causes.by_change.trajectory import trajectory
from workers.diagnosis.causes.candidates import brought_by, same_sha
from workers.diagnosis.causes.suspects import check_deploy, find_suspects
from workers.diagnosis.changes import Delay, Effect, EffectKind, read_change
from workers.diagnosis.model import Hypothesis, Role
from workers.diagnosis.scene.model import Observed, Scene

TIMEOUT_CUT = "-  timeout: 3s\n+  timeout: 300ms"
PLAIN_LOG = '+    log.info("charged %s", order.id)'
NAME = ours("deploy 1")
MAP = [calls("storefront", "checkout"), calls("checkout", "checkout-db", EdgeKind.STORES)]


def effect_of(*kinds: SymptomKind, below: frozenset[SymptomKind] = frozenset(), delay: Delay = Delay.AT_ONCE) -> Effect:
    return Effect(
        EffectKind.NUMBER, "a.py", "", None, None, 0, None, "", frozenset(kinds), below, delay, 0.8, frozenset()
    )


def slow_checkout(*, since: float = ONSET) -> Observed:
    """Return a shop in which the checkout became slow and times out, and the storefront after it."""
    return observed(
        signs=[
            sign("checkout", K.TIMEOUTS, at=since, text="payment_timeouts"),
            sign("storefront", K.LATENCY, at=since + 2 * MINUTE, text="latency_p95_ms"),
        ],
        victims=["storefront"],
        edges=MAP,
        courses=[course("checkout", "payment_timeouts", 1, 40, since=since), course("checkout", "cpu_percent", 40, 40)],
    )


def held(path: str, diff: str, service: str, scene: Observed, *, live_at: float = ONSET - 2 * MINUTE) -> float:
    """Return how much speaks for a commit that went live in a service."""
    judged = judge_commits([commit(path, diff)], service, scene)
    return sum(item.weight for item in check_change("deploy:1", NAME, judged, [service], live_at, scene))


def test_a_change_that_can_do_it_where_and_when_it_began_is_believed() -> None:
    found = check_change(
        "deploy:1",
        NAME,
        judge_commits([commit("checkout/config.yaml", TIMEOUT_CUT)], "checkout", slow_checkout()),
        ["checkout"],
        ONSET - 2 * MINUTE,
        slow_checkout(),
    )

    assert weight(found, "change_text") > 1
    assert weight(found, "change_place") > 0.5
    assert weight(found, "trajectory") > 0.5
    assert "300ms" in str(next(item.result for item in found if item.check == "change_text"))


@pytest.mark.parametrize(
    ("path", "diff"),
    [
        ("checkout/pay.py", PLAIN_LOG),
        ("checkout/tests/test_pay.py", TIMEOUT_CUT),
        ("docs/checkout.md", TIMEOUT_CUT),
    ],
)
def test_logging_tests_and_documents_are_not_believed_wherever_and_whenever(path: str, diff: str) -> None:
    assert held(path, diff, "checkout", slow_checkout()) < -1


def test_code_that_no_rule_knows_is_told_as_such_and_not_as_what_could_do_it() -> None:
    scene = observed(signs=[sign("checkout", K.ERRORS, at=ONSET, text="error_rate")])
    diff = "-    total = net(lines) * rate\n+    total = gross(lines) * rate"
    judged = judge_commits([commit("checkout/sums.py", diff)], "checkout", scene)
    found = check_change("deploy:1", NAME, judged, ["checkout"], ONSET - 2 * MINUTE, scene)
    told = str(next(item.result for item in found if item.check == "change_text"))
    assert "could do this" not in told
    assert "nothing that is known to cause errors" in told


def test_a_change_in_a_victim_is_doubted() -> None:
    scene = slow_checkout()

    assert held("storefront/config.yaml", TIMEOUT_CUT, "storefront", scene) < held(
        "checkout/config.yaml", TIMEOUT_CUT, "checkout", scene
    )
    judged = judge_commits([commit("storefront/a.py", "-x = a\n+x = b")], "storefront", scene)
    place = check_change("deploy:1", NAME, judged, ["storefront"], ONSET, scene)
    assert weight(place, "change_place") == weights.CHANGE_IN_A_VICTIM


def test_a_change_of_a_service_that_shows_nothing_and_is_far_away_is_doubted() -> None:
    judged = judge_commits([commit("mailer/config.yaml", TIMEOUT_CUT)], "mailer", slow_checkout())
    found = check_change("deploy:1", NAME, judged, ["mailer"], ONSET - MINUTE, slow_checkout())

    assert weight(found, "change_place") == weights.CHANGE_ELSEWHERE


def test_a_change_that_uses_what_ran_full_is_where_to_look() -> None:
    scene = observed(
        origin="checkout-db",
        signs=[
            sign("checkout-db", K.CONNECTIONS, text="connections_used"),
            sign("reporting", K.CONNECTIONS, at=ONSET - MINUTE, text="pool_in_use"),
        ],
        edges=[calls("reporting", "checkout-db", EdgeKind.STORES), *MAP],
    )
    judged = judge_commits([commit("reporting/config.yaml", "-pool_size: 10\n+pool_size: 200")], "reporting", scene)

    found = check_change("deploy:1", NAME, judged, ["reporting"], ONSET - 2 * MINUTE, scene)
    assert weight(found, "change_place") > 0


def test_a_change_after_the_onset_is_out() -> None:
    scene = slow_checkout()

    assert (
        held("checkout/config.yaml", TIMEOUT_CUT, "checkout", scene, live_at=ONSET + 5 * MINUTE)
        < held("checkout/config.yaml", TIMEOUT_CUT, "checkout", scene) - 2.5
    )


def test_what_explains_the_first_kind_of_the_part_fits_better_than_what_explains_a_later_one() -> None:
    signs = [sign("checkout", K.MEMORY), sign("checkout", K.CRASH, at=ONSET + 10 * MINUTE)]
    scene = observed(signs=signs)
    reading = read_change(commit("checkout/a.py", PLAIN_LOG))
    first = replace(reading, effects=(effect_of(K.MEMORY),), is_inert=False)
    later = replace(reading, effects=(effect_of(K.CRASH),), is_inert=False)

    assert fit(first, ["checkout"], scene).score > fit(later, ["checkout"], scene).score > 0


def test_an_effect_on_what_the_service_calls_is_seen_there() -> None:
    scene = observed(origin="checkout-db", signs=[sign("checkout-db", K.CPU)], edges=MAP)
    reading = replace(read_change(commit("checkout/a.py", PLAIN_LOG)), effects=(effect_of(below=frozenset((K.CPU,))),))

    found = fit(reading, ["checkout"], scene)
    assert found.sign is not None
    assert found.sign.part == "checkout-db"


def test_an_effect_on_the_node_of_the_service_is_seen_there() -> None:
    scene = observed(origin="node-1", signs=[sign("node-1", K.MEMORY)], places=[on_node("checkout", "node-1")])
    reading = replace(read_change(commit("checkout/a.py", PLAIN_LOG)), effects=(effect_of(K.MEMORY),))

    assert fit(reading, ["checkout"], scene).score > 0.5


def test_a_slower_consumer_explains_the_queue_that_it_reads() -> None:
    scene = observed(origin="queue", signs=[sign("queue", K.QUEUE)], edges=[calls("worker", "queue", EdgeKind.STORES)])
    reading = replace(read_change(commit("worker/a.py", PLAIN_LOG)), effects=(effect_of(K.LATENCY),))

    assert fit(reading, ["worker"], scene).score > 0.5


def test_what_would_show_in_a_measure_that_stayed_on_its_course_is_doubted() -> None:
    slow = [sign("checkout", K.LATENCY, text="latency_p95_ms")]
    pool = effect_of(K.LATENCY, K.CONNECTIONS)
    reading = replace(read_change(commit("checkout/a.py", PLAIN_LOG)), effects=(pool,))
    watched = observed(signs=slow, courses=[course("checkout", "db_connections_in_use", 10, 10)])

    assert fit(reading, ["checkout"], watched).score < 0.5 * fit(reading, ["checkout"], observed(signs=slow)).score


def test_an_effect_that_explains_none_of_the_kinds_seen_fits_nothing() -> None:
    reading = replace(read_change(commit("checkout/a.py", PLAIN_LOG)), effects=(effect_of(K.CERTIFICATE),))

    assert fit(reading, ["checkout"], slow_checkout()).score == 0


def test_trouble_of_another_service_is_not_explained() -> None:
    reading = replace(read_change(commit("mailer/a.py", PLAIN_LOG)), effects=(effect_of(K.TIMEOUTS),))

    assert fit(reading, ["mailer"], slow_checkout()).score == 0


def test_the_words_of_the_code_in_the_signs_raise_the_fit() -> None:
    named = replace(effect_of(K.TIMEOUTS), words=frozenset(("payment", "timeouts")))
    reading = read_change(commit("checkout/a.py", PLAIN_LOG))

    bare = fit(replace(reading, effects=(effect_of(K.TIMEOUTS),)), ["checkout"], slow_checkout())
    alike = fit(replace(reading, effects=(named,)), ["checkout"], slow_checkout())
    assert alike.score > bare.score


def test_metrics_that_left_their_course_when_the_change_was_live_speak_for_it() -> None:
    found = Fit(0.8, effect_of(K.TIMEOUTS))

    assert trajectory(ONSET - 2 * MINUTE, found, ["checkout"], slow_checkout()) > 0.5


@pytest.mark.parametrize("live_at", [ONSET - 40 * MINUTE, ONSET + 5 * MINUTE])
def test_metrics_that_left_their_course_long_after_or_before_speak_against_it(live_at: float) -> None:
    found = Fit(0.8, effect_of(K.TIMEOUTS))

    assert trajectory(live_at, found, ["checkout"], slow_checkout()) < -1


def test_a_leak_is_given_the_hours_that_it_takes() -> None:
    grown = growing("checkout", "memory_used_mb", 500, 12, since=ONSET - 30 * MINUTE)
    scene = observed(signs=[sign("checkout", K.MEMORY, at=ONSET, text="memory_used_mb")], courses=[grown])
    leak = Fit(0.8, effect_of(K.MEMORY, delay=Delay.GROWS))
    at_once = Fit(0.8, effect_of(K.MEMORY))

    assert trajectory(ONSET - 45 * MINUTE, leak, ["checkout"], scene) > trajectory(
        ONSET - 45 * MINUTE, at_once, ["checkout"], scene
    )


def test_without_any_course_the_onset_of_the_incident_decides() -> None:
    scene = observed(signs=[sign("checkout", K.ERRORS, text="500", source="log")])
    found = Fit(0.8, effect_of(K.ERRORS))

    assert trajectory(ONSET - MINUTE, found, ["checkout"], scene) > 0
    assert trajectory(ONSET + 10 * MINUTE, found, ["checkout"], scene) == weights.TRAJECTORY_DENIES_AT_MOST


SCENE = Scene(START, END, ("checkout",), ONSET)


def test_a_commit_belongs_to_the_deploy_that_names_it() -> None:
    scene = replace(
        SCENE, deploys=(deploy("checkout", "abcdef1"),), commits=(commit("x/y.py", PLAIN_LOG, sha="abcdef1234567890"),)
    )
    ((brought,), alone) = brought_by(scene)

    assert [item.sha for item in brought.commits] == ["abcdef1234567890"]
    assert not alone


def test_a_commit_to_the_code_of_a_service_belongs_to_its_first_deploy_after_it() -> None:
    deploys = (
        deploy("checkout", "111111aa", at=ONSET - HOUR, deploy_id=1),
        deploy("cart", "222222aa", at=ONSET - 3 * MINUTE, deploy_id=2),
        deploy("checkout", "333333aa", at=ONSET - 2 * MINUTE, deploy_id=3),
        deploy("checkout", "444444aa", at=ONSET, deploy_id=4),
    )
    scene = replace(SCENE, deploys=deploys, commits=(commit("services/checkout/a.py", PLAIN_LOG, sha="999999aa"),))

    assert [len(item.commits) for item in brought_by(scene)[0]] == [0, 0, 1, 0]


def test_a_commit_to_shared_code_belongs_to_the_first_deploy_of_any_service() -> None:
    deploys = (deploy("cart", "222222aa", deploy_id=2), deploy("checkout", "333333aa", at=ONSET, deploy_id=3))
    scene = replace(SCENE, deploys=deploys, commits=(commit("pkg/cache/cache.go", PLAIN_LOG, sha="999999aa"),))

    assert [len(item.commits) for item in brought_by(scene)[0]] == [1, 0]


def test_a_commit_after_the_last_deploy_of_its_service_stands_alone() -> None:
    scene = replace(
        SCENE, deploys=(deploy("checkout", "333333aa", at=ONSET - HOUR),), commits=(commit("checkout/a.py", PLAIN_LOG),)
    )
    ((brought,), alone) = brought_by(scene)

    assert not brought.commits
    assert len(alone) == 1


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("abcdef1", "abcdef1234", True),
        ("abcdef1234", "abcdef1", True),
        ("abc", "abcdef1", False),
        ("", "abcdef", False),
    ],
)
def test_short_and_full_names_of_a_commit_are_of_one_commit(left: str, right: str, same: bool) -> None:
    assert same_sha(left, right) is same


def flag(name: str, after: str, *, before: str = "false", service: str | None = "checkout") -> FlagChange:
    return FlagChange("f1", name, service, "production", before, after, ONSET - MINUTE)


def with_changes(scene: Observed, **found: object) -> Observed:
    return replace(scene, scene=replace(scene.scene, **found))  # type: ignore[arg-type]


def test_a_flag_that_the_signs_name_is_suspected() -> None:
    scene = observed(signs=[sign("checkout", K.ERRORS, text="express_payment failed", source="log")])
    found = find_suspects(with_changes(scene, flags=(flag("express_payment", "true"),)))

    (suspicion,) = found.flags
    assert (suspicion.hypothesis.cause, suspicion.hypothesis.service) == ("flag", "checkout")
    assert total(suspicion) > 1


def test_a_flag_that_nothing_names_is_doubted() -> None:
    scene = observed(signs=[sign("checkout", K.ERRORS, text="nil pointer", source="log")])
    (suspicion,) = find_suspects(with_changes(scene, flags=(flag("dark_theme", "true"),))).flags

    assert weight(suspicion.evidence, "change_text") <= weights.FLAG_THAT_NOTHING_NAMES


def test_a_flag_of_a_service_of_no_concern_is_no_suspect() -> None:
    scene = observed(signs=[sign("checkout", K.ERRORS)], parts=["mailer"])

    assert not find_suspects(with_changes(scene, flags=(flag("a", "true", service="mailer"),))).flags


def test_a_commit_without_a_deploy_is_suspected_if_it_explains_something() -> None:
    guilty = commit("checkout/config.yaml", TIMEOUT_CUT, sha="badbad12")
    innocent = commit("checkout/pay.py", PLAIN_LOG, sha="600d600d")
    found = find_suspects(with_changes(slow_checkout(), commits=(guilty, innocent)))

    assert [item.hypothesis.commit_sha for item in found.alone] == ["badbad12"]


def test_the_commits_of_a_deploy_are_scored_against_one_another() -> None:
    guilty = commit("checkout/config.yaml", TIMEOUT_CUT, sha="badbad12")
    innocent = commit("checkout/pay.py", PLAIN_LOG, sha="600d600d")
    live = deploy("checkout", "badbad12")
    hypothesis = Hypothesis("deploy:1", "deploy", Role.ORIGIN, guilty.message, 1.0, live)  # type: ignore[arg-type]
    found, scores = check_deploy(hypothesis, live, [innocent, guilty], slow_checkout())

    assert max(scores, key=lambda score: score.log_weight).sha == "badbad12"
    assert sum(item.weight for item in found) > 2


def test_nothing_is_said_of_a_deploy_where_there_is_no_sign_of_trouble() -> None:
    live = deploy("checkout", "badbad12")
    hypothesis = Hypothesis("deploy:1", "deploy", Role.ORIGIN, live.version, 1.0, live)  # type: ignore[arg-type]

    assert check_deploy(hypothesis, live, [commit("a.py", TIMEOUT_CUT)], observed(origin=None)) == ([], ())


GATED = '+    if flags.enabled("fast_pricing"):\n+        return fast_price(order)'


def priced_by_flag(diff: str, *, at: float = ONSET - 5 * HOUR, after: str = "50%") -> Hypothesis:
    scene = slow_checkout()
    changed = flag("fast-pricing", after)
    commits = (commit("checkout/price.py", diff, at=at),)
    (suspicion,) = find_suspects(with_changes(scene, flags=(changed,), commits=commits)).flags
    return suspicion.hypothesis


def test_the_code_that_a_flag_switches_on_is_named_with_the_flag() -> None:
    found = priced_by_flag(GATED)

    assert (found.commit_sha, found.prior) == ("c0ffee12", weights.FLAG_OF_NEW_CODE_PRIOR)
    assert "switched on the code" in found.statement


@pytest.mark.parametrize(
    ("diff", "at", "after"),
    [
        (GATED, ONSET - 5 * HOUR, "off"),
        (GATED, ONSET + HOUR, "50%"),
        (GATED.replace("fast_pricing", "fast_pricing_table"), ONSET - 5 * HOUR, "50%"),
        (GATED.replace("+", "-"), ONSET - 5 * HOUR, "50%"),
    ],
)
def test_a_flag_that_no_earlier_commit_asks_for_switches_no_new_code_on(diff: str, at: float, after: str) -> None:
    assert priced_by_flag(diff, at=at, after=after).commit_sha is None


def test_who_may_no_longer_reach_a_store_suffers_for_a_change_of_the_store() -> None:
    edges = [calls("checkout", "checkout-db", EdgeKind.STORES)]
    shut_out = observed(signs=[sign("checkout", K.TIMEOUTS, text="dial tcp: i/o timeout", source="log")], edges=edges)
    slow = observed(signs=[sign("checkout", K.CPU, text="cpu_percent")], edges=edges)
    closed = read_change(
        commit("infra/checkout_db.tf", '-  cidr_blocks = ["10.0.0.0/8"]\n+  cidr_blocks = ["10.1.0.0/16"]')
    )
    smaller = read_change(commit("infra/checkout_db.yaml", "-  max_connections: 400\n+  max_connections: 390"))

    assert fit(closed, {"checkout-db"}, shut_out).score >= 0.5
    assert fit(closed, {"checkout-db"}, slow).score == 0
    assert fit(smaller, {"checkout-db"}, shut_out).score < 0.3


UNKNOWN_LOGIC = "-    share = clicks * weight\n+    share = clicks / impressions[item]"


@pytest.mark.parametrize(
    ("path", "text", "is_named"),
    [
        ("shop/ranking.py", "ZeroDivisionError: division by zero (shop/ranking.py:5)", True),
        ("src/main/java/shop/Ranking.java", "ArithmeticException at shop.Ranking.rank(Ranking.java:88)", True),
        ("shop/ranking.py", "ZeroDivisionError: division by zero (shop/facets.py:5)", False),
        ("shop/handler.py", "ZeroDivisionError: division by zero (other/handler.py:5)", False),
        ("shop/ranking.py", "at web.py:1 at app.py:2 at search.py:3 at ranking.py:5", False),
        ("shop/ranking.py", "wrote ranking.py to the archive", False),
    ],
)
def test_an_error_that_names_the_changed_file_is_believed_to_come_from_it(path: str, text: str, is_named: bool) -> None:
    scene = observed(signs=[sign("checkout", K.CRASH, text=text, source="log")])
    found = fit(read_change(commit(path, UNKNOWN_LOGIC)), {"checkout"}, scene)

    assert (found.score >= 0.8) is is_named


def weight_of_title(*others: Commit) -> float:
    scene = slow_checkout()
    scene = replace(scene, scene=replace(scene.scene, commits=others))
    titled = commit("checkout/client.py", "", message="Lower the payment timeout")
    return judge_commits([titled], "checkout", scene)[0].weight


def test_a_title_is_believed_less_where_the_diffs_of_other_commits_are_known() -> None:
    read_one, titled = commit("cart/a.py", "-x = a\n+x = b", sha="aaaaaaaa"), commit("cart/a.py", "", sha="bbbbbbbb")

    assert weight_of_title(read_one) < weight_of_title(titled) == weight_of_title()
    assert weight_of_title(read_one) > weights.CHANGE_FITS_NOTHING


def test_a_change_that_takes_another_back_is_believed_less() -> None:
    there, back = "-  timeout: 300ms\n+  timeout: 3s", TIMEOUT_CUT
    earlier = commit("checkout/config.yaml", there, sha="aaaaaaaa", at=ONSET - 5 * HOUR)
    later = commit("checkout/config.yaml", back, sha="bbbbbbbb")
    scene = slow_checkout()
    known = replace(scene, scene=replace(scene.scene, commits=(earlier, later)))

    assert judge_commits([later], "checkout", known)[0].weight == weights.CHANGE_TAKES_ANOTHER_BACK
    assert judge_commits([later], "checkout", scene)[0].weight > 1


def test_a_change_in_a_part_that_failed_later_is_doubted_also_where_nobody_says_who_calls_whom() -> None:
    early, late = sign("checkout", K.ERRORS, at=ONSET), sign("planner", K.ERRORS, at=ONSET + 5 * MINUTE)
    scene = observed(signs=[early, late])
    judged = judge_commits([commit("planner/a.py", "-x = a\n+x = b")], "planner", scene)
    found = check_change("deploy:1", NAME, judged, ["planner"], ONSET - MINUTE, scene)
    assert weight(found, "change_place") == weights.CHANGE_IN_ONE_THAT_FAILED_LATER

    together = observed(signs=[early, replace(late, earliest=ONSET, latest=ONSET + MINUTE)])
    found = check_change("deploy:1", NAME, judged, ["planner"], ONSET - MINUTE, together)
    assert not [item for item in found if item.check == "change_place"]


def scores_of_retries(*, calls_rose_at: float) -> float:
    signs = [
        sign("payments", K.LATENCY, at=ONSET, text="latency_p95_ms"),
        sign("checkout", K.TRAFFIC, at=calls_rose_at, text="outbound_requests_per_second"),
    ]
    scene = observed(origin="payments", signs=signs, edges=[calls("checkout", "payments")], victims=["checkout"])
    judged = judge_commits([commit("checkout/client.py", "-RETRIES = 1\n+RETRIES = 5")], "checkout", scene)
    found = check_change("deploy:1", NAME, judged, ["checkout"], ONSET - MINUTE, scene)
    return sum(item.weight for item in found if item.check != "trajectory")


def test_more_retries_harm_what_is_called_by_more_calls_and_these_come_first() -> None:
    assert scores_of_retries(calls_rose_at=ONSET + 4 * MINUTE) < 0 < scores_of_retries(calls_rose_at=ONSET - MINUTE)

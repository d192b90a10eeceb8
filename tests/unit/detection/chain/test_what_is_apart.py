"""What does not belong to the chain, and where none is told."""

from __future__ import annotations

from detection.chain import Surroundings, chain_graph, chain_line, path_of, trace_chain
from tests.unit.detection.chain.stories import hop, links, told


def test_two_incidents_are_kept_apart_and_the_alarm_decides_which_is_told() -> None:
    story = (
        "shop > pay, pay = pay-db, api > worker",
        "worker crash 4, worker errors 4, api errors 5, pay-db connections 8, pay errors 11, shop errors 14",
    )
    paged = told(*story, alerted="shop")
    assert paged.origin == "pay-db"
    assert links(paged) == {"pay-db > pay", "pay > shop"}
    assert paged.apart == ("worker", "api")
    other = told(*story, alerted="api")
    assert other.origin == "worker"
    assert links(other) == {"worker > api"}


def test_refusals_of_bad_requests_are_apart() -> None:
    chain = told(
        "edge > page, page > reco, page > catalog",
        "reco latency 5, page errors 8, edge errors 9",
        alerted="edge",
        said=[("catalog", "400 bad request from pricing API, skipping", 4)],
    )
    assert chain.origin == "reco"
    assert chain.apart == ("catalog",)


def test_a_callee_that_failed_long_after_its_caller_did_not_cause_it() -> None:
    chain = told("shop > mail", "shop crash 5, shop errors 5, mail latency 25", alerted="shop")
    assert chain.origin == "shop"
    assert links(chain) == set()


def test_trouble_at_the_same_time_without_a_dependency_is_no_link() -> None:
    chain = told("shop > cart", "cart errors 10, ads errors 10, shop errors 11", alerted="shop")
    assert links(chain) == {"cart > shop"}
    assert chain.apart == ("ads",)


def test_a_part_without_signs_is_never_drawn() -> None:
    chain = told("shop > cart, cart > stock, portal > shop", "cart errors 10, shop errors 11", alerted="shop")
    assert chain.origin == "cart"
    assert chain.victims == ("shop",)


def test_a_few_failed_spans_make_nobody_a_victim_where_metrics_speak() -> None:
    chain = told(
        "gateway > auth",
        "auth errors 10, auth crash 10",
        alerted="auth",
        traces=((hop("gateway", None, 10, "503"), hop("auth", "gateway", 10, "refused")),),
    )
    assert chain.origin == "auth"
    assert chain.victims == ()


def test_two_origins_that_are_as_likely_are_not_guessed_between() -> None:
    chain = told("shop > cart, shop > search", "cart errors 10, search errors 10, shop errors 12", alerted="shop")
    assert chain.origin is None
    assert chain.links == ()
    assert "cart" in chain.reasons[0]
    assert "search" in chain.reasons[0]


def test_an_alarm_without_any_sign_tells_only_where_it_rang() -> None:
    chain = trace_chain([], Surroundings(), alerted="shop", alerted_at=0.0, parts={"shop"})
    assert chain.origin == "shop"
    assert chain.confidence < 0.6


def test_nothing_at_all_is_no_chain() -> None:
    chain = trace_chain([], Surroundings(), alerted=None, alerted_at=None, parts=set())
    assert chain.origin is None
    assert chain.confidence == 0.0


def test_a_caller_that_a_callee_names_is_not_blamed() -> None:
    chain = told(
        "shop > limiter",
        "limiter cpu 8, limiter throttled 8, shop errors 8",
        alerted="shop",
        said=[("limiter", "rejected request from shop: overloaded, shedding load", 8)],
    )
    assert chain.origin == "limiter"
    assert links(chain) == {"limiter > shop"}


def test_an_ordinary_word_is_no_name_of_a_service() -> None:
    chain = told(
        "shop > flags, profile > flags",
        "flags latency 5, shop errors 8, profile errors 8, ranking errors 9",
        alerted="shop",
        said=[("ranking", "config rejected: invalid weights profile holiday", 9)],
    )
    assert links(chain) == {"flags > shop", "flags > profile"}
    assert chain.apart == ("ranking",)


def test_the_line_of_a_card_names_the_way_and_the_graph_names_every_part() -> None:
    chain = told("edge > shop, shop > prices", "prices latency 5, shop errors 8, edge errors 11", alerted="edge")
    assert chain_line(chain.origin, path_of(chain), chain.victims) == "prices → shop → edge"
    graph = chain_graph(chain)
    assert graph["nodes"] == [
        {"name": "prices", "role": "origin", "rank": 0},
        {"name": "shop", "role": "victim", "rank": 1},
        {"name": "edge", "role": "victim", "rank": 2},
    ]
    fan = told("a > db, b > db", "db latency 5, a errors 8, b errors 8", alerted="a")
    assert chain_line(fan.origin, path_of(fan), fan.victims) in ("db → a, b", "db → b, a")


def test_trouble_that_names_another_part_does_not_make_the_rest_of_it_early() -> None:
    calls = "edge > till, edge > tips, till > pay-db"
    said = [
        ("edge", "tips-svc: unavailable, serving the fallback", 5.0),
        ("till", "cannot write to pay-db: read-only transaction", 16.0),
    ]
    signs = "tips-svc errors 5, pay-db errors 15, till errors 17, edge errors 19"
    chain = told(f"{calls}, edge > tips-svc", signs, alerted="till", said=said)
    assert chain.origin == "pay-db"
    assert links(chain) == {"pay-db > till", "till > edge"}
    assert "tips-svc" in chain.apart


def test_trouble_of_its_own_before_is_not_put_down_to_who_failed_after() -> None:
    signs = "edge errors 5, till errors 17"
    chain = told("edge > till", signs, alerted="till")
    assert "till > edge" not in links(chain)


def test_who_was_slow_for_a_moment_makes_nobody_stumble_over_a_null_pointer() -> None:
    calls = "gate > till, till > taxes"
    said = [("till", "java.lang.NullPointerException: giftCard at Totals.java:88", 12.0)]
    signs = "taxes latency 9, till errors 13, gate errors 14"
    assert told(calls, signs, alerted="till", said=said).origin == "till"
    fails = told(calls, f"{signs}, taxes errors 9", alerted="till", said=said)
    assert fails.origin == "taxes"
    waits = [*said, ("till", "request timed out after 3s", 12.0)]
    assert told(calls, signs, alerted="till", said=waits).origin == "taxes"

"""Who is behind the trouble without a sign of its own: told by those that complain of it."""

from __future__ import annotations

from functools import partial

import pytest

from tests.unit.detection.chain.stories import links, told


def test_a_service_without_telemetry_that_its_callers_complain_of_is_the_origin() -> None:
    chain = told(
        "player > rights, archive > rights, family > rights, player > keys",
        "player latency 10, player errors 12, archive errors 12, family errors 14",
        alerted="player",
        said=[
            ("player", "start refused: rights check timed out after 3s", 12),
            ("archive", "cannot verify the window: rights: context deadline exceeded", 12),
            ("family", "504 waiting for rights", 14),
        ],
        quiet=["keys"],
    )
    assert chain.origin == "rights"
    assert links(chain) == {"rights > player", "rights > archive", "rights > family"}
    assert any("shows nothing itself" in reason for reason in chain.reasons)


def test_one_complaint_is_enough_of_a_declared_provider_that_nothing_is_heard_of() -> None:
    chain = told(
        "web > pay, pay > acmepay",
        "pay latency 8, pay queue 8, web latency 10, web errors 12",
        alerted="web",
        said=[("pay", "acmepay /v2/authorize: no answer, deadline exceeded (10s)", 9)],
        quiet=["basket"],
    )
    assert chain.origin == "acmepay"
    assert links(chain) == {"acmepay > pay", "pay > web"}


def test_one_complaint_is_not_enough_of_a_part_that_is_heard_and_well() -> None:
    chain = told(
        "gate > orders, orders > stock",
        "orders threads 8, orders errors 10, gate errors 11",
        alerted="gate",
        said=[("orders", "timed out obtaining a thread for a call to stock", 10)],
        quiet=["stock"],
    )
    assert chain.origin == "orders"


def test_one_complaint_of_who_is_ill_itself_names_no_silent_part() -> None:
    chain = told(
        "web > pay, pay > acmepay",
        "pay memory 7, pay errors 9, web errors 11",
        alerted="web",
        said=[("pay", "acmepay call failed: cannot allocate, out of memory", 9)],
    )
    assert chain.origin == "pay"


def test_who_answers_quickly_but_wrongly_is_the_origin_where_many_complain() -> None:
    complaints = [(part, "configuration from settings-svc has no key 'region'", 10.0) for part in ("a1", "b1", "c1")]
    chain = told(
        "a1 > settings-svc, b1 > settings-svc, c1 > settings-svc, d1 > settings-svc",
        "a1 errors 11, b1 errors 11, c1 errors 12",
        alerted="a1",
        said=complaints,
        quiet=["settings-svc", "d1"],
    )
    assert chain.origin == "settings-svc"
    two = told("", "a1 errors 11, b1 errors 11", alerted="a1", said=complaints[:2], quiet=["settings-svc"])
    assert two.origin != "settings-svc"


def test_a_resolver_is_behind_those_that_cannot_look_names_up() -> None:
    said = [
        ("orders", "dial tcp: lookup ledger.corp.internal: server misbehaving", 10.0),
        ("quotes", "rates failed: lookup carriers.corp.internal: SERVFAIL", 10.0),
    ]
    calls = "shop > orders, orders > kube-dns, quotes > kube-dns"
    signs = "orders errors 11, quotes errors 11, shop errors 13"
    chain = told(calls, signs, alerted="shop", said=said)
    assert chain.origin == "kube-dns"
    assert links(chain) == {"kube-dns > orders", "kube-dns > quotes", "orders > shop"}


def test_a_resolver_that_answers_that_a_name_is_unknown_is_well() -> None:
    said = [("orders", "dial tcp: lookup ledgr.corp.internal: no such host", 10.0)]
    chain = told("shop > orders, orders > kube-dns", "orders errors 11, shop errors 13", alerted="shop", said=said)
    assert chain.origin == "orders"


def test_who_could_not_be_found_is_not_who_failed() -> None:
    """Those whose names are looked up are as well as ever; the resolver is ill."""
    said = [
        (part, f"getaddrinfo EAI_AGAIN {sought}.shop.svc.cluster.local", 9.0)
        for part in ("basket-1", "finder-1", "till-1")
        for sought in ("stock-1", "people-1")
    ]
    calls = ", ".join(f"{part} > {sought}" for part in ("basket-1", "finder-1") for sought in ("stock-1", "people-1"))
    signs = "basket-1 errors 10, finder-1 errors 10, till-1 errors 10, coredns restarts 10"
    chain = told(calls, signs, alerted="till-1", said=said)
    assert chain.origin == "coredns"
    assert not {"stock-1", "people-1"} & {*chain.victims, *chain.apart}


def test_two_complaints_are_enough_of_who_is_measured_well_but_differs_in_something_else() -> None:
    said = [(part, "no route for rating, config version 0 from mesh-control", 10.0) for part in ("a1", "b1")]
    calls, signs = "a1 > mesh-control, b1 > mesh-control", "a1 errors 11, b1 errors 11"
    chain = told(calls, signs, alerted="a1", said=said, quiet=["mesh-control"], differing=["mesh-control"])
    assert chain.origin == "mesh-control"
    one = told(
        "a1 > mesh-control", "a1 errors 11", alerted="a1", said=said[:1], quiet=["mesh-control"],
        differing=["mesh-control"],
    )  # fmt: skip
    assert one.origin == "a1"


def test_who_is_no_longer_reached_measures_nothing_of_what_does_not_reach_it() -> None:
    said = [
        (part, "till-gate: x509: certificate has expired or is not yet valid", 10.0) for part in ("orders", "renewals")
    ]
    calls, signs = "web > orders, orders > till-gate, renewals > till-gate", "orders errors 11, renewals errors 11"
    unasked = f"{signs}, till-gate traffic_lost 10"
    chain = told(calls, unasked, alerted="orders", said=said, quiet=["till-gate"])
    assert chain.origin == "till-gate"
    assert links(chain) == {"till-gate > orders", "till-gate > renewals"}
    one = told(
        calls, "orders errors 11, till-gate traffic_lost 10", alerted="orders", said=said[:1], quiet=["till-gate"]
    )
    assert one.origin == "orders"
    asked = told(calls, signs, alerted="orders", said=said, quiet=["till-gate"])
    assert asked.origin != "till-gate"


def test_one_complaint_is_enough_of_who_differs_in_something_and_is_not_measured_otherwise() -> None:
    said = [("tokens", "request to vault-1 failed: 503, vault-1 is sealed", 10.0)]
    calls, signs = "api > tokens, tokens > vault-1", "tokens errors 11, api errors 15"
    story = partial(told, calls, alerted="api", said=said, heard=["vault-1"])
    assert story(signs, differing=["vault-1"]).origin == "vault-1"
    assert story(signs).origin == "tokens"
    ill = story(f"{signs}, tokens memory 9", differing=["vault-1"])
    assert ill.origin == "tokens"


@pytest.mark.parametrize(
    "text",
    [
        "java.net.UnknownHostException: stock-api.shop.svc.cluster.local: Temporary failure in name resolution",
        "Error: getaddrinfo EAI_AGAIN stock-api.shop.svc.cluster.local",
        "dial tcp: lookup stock-api.shop.svc on 10.96.0.10:53: server misbehaving",
    ],
)
def test_what_was_looked_up_in_vain_is_not_blamed_where_nobody_answered(text: str) -> None:
    said = [("cart", text, 11.0), ("search", text, 11.0)]
    signs = "stock-api latency 9, coredns errors 11, cart errors 12, search errors 12"
    assert told("cart > stock-api, search > stock-api", signs, alerted="cart", said=said).origin == "coredns"

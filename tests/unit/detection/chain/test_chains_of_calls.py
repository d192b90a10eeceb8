"""How a failure spreads along calls, and against them where it is load that spreads."""

from __future__ import annotations

from tests.unit.detection.chain.stories import hop, links, told


def test_a_slow_callee_is_the_origin_of_its_callers_timeouts() -> None:
    chain = told(
        "edge > shop, shop > prices",
        "prices latency 10, shop errors 13, edge errors 16",
        alerted="edge",
        said=[("shop", "deadline exceeded calling prices", 13), ("edge", "503 from shop", 16)],
    )
    assert chain.origin == "prices"
    assert links(chain) == {"prices > shop", "shop > edge"}
    assert chain.victims == ("shop", "edge")
    assert chain.confidence > 0.6


def test_the_part_that_pages_loudest_is_a_victim() -> None:
    chain = told(
        "shop > flags, search > flags, profile > flags",
        "flags garbage_collection 5, flags latency 6, shop errors 10, search errors 11, profile errors 11",
        alerted="shop",
        said=[("shop", "deadline exceeded calling flags", 10)],
    )
    assert chain.origin == "flags"
    assert links(chain) == {"flags > shop", "flags > search", "flags > profile"}


def test_a_callee_that_is_only_hung_up_on_is_neither_origin_nor_dragged_along() -> None:
    chain = told(
        "front > reco, reco > catalog",
        "reco timeouts 10, catalog cancelled 10, front errors 10",
        alerted="reco",
        said=[("reco", "context deadline exceeded", 10), ("catalog", "context canceled by client", 10)],
    )
    assert chain.origin == "reco"
    assert links(chain) == {"reco > front"}
    assert "catalog" not in chain.victims


def test_a_callee_that_is_asked_more_often_and_answers_as_usual_is_not_drawn() -> None:
    chain = told(
        "front > checkout, checkout > catalog",
        "checkout query_count 10, checkout latency 10, catalog traffic 10, front latency 10",
        alerted="checkout",
    )
    assert chain.origin == "checkout"
    assert links(chain) == {"checkout > front"}


def test_retries_after_the_callee_slows_do_not_make_the_caller_the_origin() -> None:
    chain = told(
        "edge > page, page > reco",
        "reco latency 5, reco traffic 10, page retries 9, page traffic 9, page cpu 10, page errors 12, edge errors 13",
        alerted="page",
    )
    assert chain.origin == "reco"
    assert links(chain) == {"reco > page", "page > edge"}


def test_retries_before_the_callee_slows_make_the_caller_the_origin() -> None:
    chain = told(
        "page > reco",
        "page retries 5, page traffic 5, page errors 6, reco traffic 6, reco latency 10",
        alerted="page",
    )
    assert chain.origin == "page"
    assert links(chain) == {"page > reco"}


def test_a_surge_spreads_from_the_entry_inwards() -> None:
    chain = told(
        "front > checkout, checkout > cart",
        "front traffic 10, front cpu 11, front latency 12, checkout traffic 10, checkout cpu 11, checkout latency 12,"
        "cart traffic 10, cart cpu 11, cart latency 13",
        alerted="front",
    )
    assert chain.origin == "front"
    assert links(chain) == {"front > checkout", "checkout > cart"}


def test_a_crash_on_every_call_is_the_origin() -> None:
    chain = told(
        "front > shop, shop > pay",
        "pay crash 10, pay errors 10, shop errors 10, front errors 10",
        alerted="pay",
        said=[("shop", "payment failed: upstream 500 from pay", 10)],
    )
    assert chain.origin == "pay"
    assert links(chain) == {"pay > shop", "shop > front"}


def test_the_caller_whose_peer_has_an_expired_certificate_fails_first() -> None:
    chain = told(
        "front > orders, orders > pay",
        "orders errors 10, pay traffic_lost 10, front errors 10",
        alerted="orders",
        said=[("orders", "post https://pay:8443: x509: certificate has expired", 10)],
    )
    assert chain.origin == "orders"
    assert links(chain) == {"orders > front"}


def test_a_third_party_that_has_no_signs_leaves_the_caller_as_the_first_to_fail() -> None:
    chain = told(
        "shop > pay",
        "pay errors 10, pay latency 10, shop errors 11",
        alerted="shop",
        said=[("pay", "POST https://api.stripe.com/v1/charges returned 503", 10)],
        more_parts=["api.stripe.com"],
    )
    assert chain.origin == "pay"
    assert links(chain) == {"pay > shop"}


def test_an_authentication_service_that_fails_drags_all_who_ask_it() -> None:
    chain = told(
        "gateway > auth-svc, orders > auth-svc, billing > auth-svc",
        "auth-svc cpu 8, auth-svc latency 9, gateway authentication 11, orders errors 12, billing errors 12",
        alerted="gateway",
        said=[("orders", "401 token validation failed: timeout calling auth-svc", 12)],
    )
    assert chain.origin == "auth-svc"
    assert links(chain) == {"auth-svc > gateway", "auth-svc > orders", "auth-svc > billing"}


def test_a_rate_limiter_that_refuses_is_the_origin_of_the_refused() -> None:
    chain = told(
        "api > limiter, mobile > api",
        "limiter throttled 10, limiter cpu 9, api errors 11, mobile errors 12",
        alerted="mobile",
        said=[("api", "429 too many requests from limiter", 11)],
    )
    assert chain.origin == "limiter"
    assert links(chain) == {"limiter > api", "api > mobile"}


def test_threads_run_out_after_the_callee_hangs_and_not_before() -> None:
    chain = told(
        "edge > orders, orders > stock",
        "stock locks 8, stock latency 9, orders threads 12, orders latency 12, edge timeouts 14",
        alerted="edge",
    )
    assert chain.origin == "stock"
    assert links(chain) == {"stock > orders", "orders > edge"}


def test_a_thread_pool_that_runs_out_by_itself_is_the_origin() -> None:
    chain = told(
        "edge > orders, orders > stock",
        "orders threads 8, orders latency 9, edge timeouts 12",
        alerted="edge",
        said=[("orders", "rejectedexecution: thread pool exhausted", 9)],
    )
    assert chain.origin == "orders"
    assert links(chain) == {"orders > edge"}


def test_a_configuration_service_that_pushes_rubbish_is_the_origin() -> None:
    chain = told(
        "a-svc > config-svc, b-svc > config-svc, edge > a-svc",
        "config-svc bad_data 8, a-svc errors 9, b-svc errors 9, edge errors 11",
        alerted="edge",
        said=[("a-svc", "failed to decode rules from config-svc", 9), ("b-svc", "bad rules from config-svc", 9)],
    )
    assert chain.origin == "config-svc"
    assert links(chain) == {"config-svc > a-svc", "config-svc > b-svc", "a-svc > edge"}


def test_a_mesh_control_plane_that_no_map_holds_is_found_by_what_the_errors_name() -> None:
    chain = told(
        "edge > cart, cart > stock",
        "istiod certificate 7, cart errors 10, stock errors 10, edge errors 12",
        alerted="edge",
        said=[
            ("cart", "tls handshake failed: no certificate from istiod", 10),
            ("stock", "sidecar could not fetch secret from istiod", 10),
        ],
    )
    assert chain.origin == "istiod"
    assert {"istiod > cart", "istiod > stock"} <= links(chain)


def test_a_region_that_falls_overloads_the_one_that_takes_over() -> None:
    chain = told(
        "router > api-east, router > api-west",
        "api-east crash 8, api-east errors 8, api-west traffic 11, api-west cpu 12, api-west latency 13",
        alerted="api-west",
    )
    assert chain.origin == "api-east"
    assert links(chain) == {"api-east > api-west"}


def test_two_callees_of_one_caller_that_both_fail_are_told_apart_by_name() -> None:
    chain = told(
        "shop > cart, shop > search",
        "cart errors 10, cart crash 10, search errors 10, search crash 10, shop errors 11",
        alerted="shop",
        said=[("shop", "500 from cart", 11)],
    )
    assert chain.origin == "cart"
    assert links(chain) == {"cart > shop"}
    assert chain.apart == ("search",)


def test_a_diamond_has_both_ways_and_no_shortcut() -> None:
    chain = told(
        "edge > cart, edge > search, cart > users, search > users, edge > users",
        "users latency 5, users cpu 5, cart errors 8, search errors 8, edge errors 11",
        alerted="edge",
    )
    assert chain.origin == "users"
    assert links(chain) == {"users > cart", "users > search", "cart > edge", "search > edge"}


def test_without_a_map_the_traces_and_the_errors_tell_who_calls_whom() -> None:
    chain = told(
        "",
        "cart errors 12, stock latency 10, edge errors 15",
        alerted="edge",
        said=[("cart", "timeout calling stock", 12)],
        traces=((hop("edge", None, 15, "502"), hop("cart", "edge", 15, "timeout")),),
    )
    assert chain.origin == "stock"
    assert links(chain) == {"stock > cart", "cart > edge"}

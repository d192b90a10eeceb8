"""Failures that spread by what is shared: databases, nodes, queues, caches, the resolver."""

from __future__ import annotations

from tests.unit.detection.chain.stories import event, links, told


def test_a_full_database_is_the_origin_and_the_job_that_fills_it_is_named() -> None:
    chain = told(
        "orders = shared-db, billing = shared-db, report = shared-db, front > orders",
        "shared-db connections 5, report connections 5, orders errors 10, billing errors 10",
        alerted="orders",
        said=[
            ("report", "seq scan on shared-db, holding connection", 4),
            ("orders", "too many connections to shared-db", 10),
            ("billing", "sorry, too many clients already (shared-db)", 10),
            ("front", "GET /promo 404 unknown variant", 9),
        ],
    )
    assert chain.origin == "shared-db"
    assert links(chain) == {"shared-db > orders", "shared-db > billing"}
    assert any("report" in reason for reason in chain.reasons)
    assert chain.apart == ("front",)


def test_spellings_of_one_database_are_one_part_under_the_name_of_its_metrics() -> None:
    chain = told(
        "orders = orders-db",
        "pg:orders-db connections 5, orders errors 8",
        alerted="orders",
        said=[("orders", "too many connections to orders-db", 8)],
    )
    assert chain.origin == "pg:orders-db"
    assert links(chain) == {"pg:orders-db > orders"}


def test_a_disk_that_fills_stops_the_database_and_then_its_tenants() -> None:
    chain = told(
        "ledger = ledger-db, edge > ledger",
        "ledger-db disk 3, ledger-db errors 9, ledger errors 9, edge errors 12",
        alerted="edge",
        said=[("ledger-db", "could not write: no space left on device", 9)],
    )
    assert chain.origin == "ledger-db"
    assert links(chain) == {"ledger-db > ledger", "ledger > edge"}


def test_a_node_under_pressure_is_the_origin_of_all_that_run_there() -> None:
    chain = told(
        "gateway > auth, gateway > cart, gateway > catalog",
        "node-7 memory 3, importer memory 3, auth errors 6, cart errors 6, resize errors 7",
        alerted="auth",
        on="node-7: auth cart resize importer, node-3: gateway catalog",
        events=(event("node/node-7", "NodeMemoryPressure", "allocatable memory 270Mi", 4, "node-7"),),
    )
    assert chain.origin == "node-7"
    assert links(chain) == {"node-7 > auth", "node-7 > cart", "node-7 > resize"}
    assert any("importer" in reason for reason in chain.reasons)


def test_an_event_alone_is_enough_for_a_node() -> None:
    chain = told(
        "",
        "auth errors 6, cart errors 6",
        alerted="cart",
        on="node-7: auth cart, node-3: catalog",
        events=(event("node/node-7", "NodeNotReady", "kubelet stopped posting status", 5, "node-7"),),
    )
    assert chain.origin == "node-7"
    assert links(chain) == {"node-7 > auth", "node-7 > cart"}


def test_a_node_that_nobody_reports_on_is_guessed_where_all_three_neighbours_suffer() -> None:
    on = "node-7: auth cart resize, node-3: catalog gateway"
    chain = told("", "auth errors 6, cart errors 6, resize latency 6", alerted="cart", on=on)
    assert chain.origin == "node-7"


def test_who_takes_the_node_from_its_neighbours_need_not_suffer() -> None:
    where = "node-7: auth cart resize encoder, node-3: gateway"
    signs = "encoder cpu 4, auth latency 6, cart errors 6, resize timeouts 7"
    chain = told("", signs, alerted="cart", on=where)
    assert chain.origin == "node-7"
    assert set(chain.victims) == {"auth", "cart", "resize"}


def test_a_node_is_not_guessed_where_a_neighbour_is_well() -> None:
    on = "node-7: auth cart resize mail, node-3: catalog gateway"
    chain = told("", "auth errors 6, cart errors 6, resize latency 6", alerted="cart", on=on)
    assert chain.origin != "node-7"


def test_a_node_is_not_guessed_where_calls_explain_the_neighbours() -> None:
    on = "node-7: auth cart resize, node-3: catalog gateway"
    chain = told("auth > cart, cart > resize", "auth errors 9, cart errors 8, resize cpu 5", alerted="auth", on=on)
    assert chain.origin == "resize"
    assert links(chain) == {"resize > cart", "cart > auth"}


def test_a_slow_clock_on_a_node_breaks_the_tokens_of_those_on_it_alone() -> None:
    chain = told(
        "edge > orders, edge > cart",
        "orders authentication 8, cart authentication 8, edge errors 11",
        alerted="edge",
        on="node-2: orders cart, node-1: edge",
        events=(event("node/node-2", "ClockSkew", "clock out of sync by 412 s, token is expired", 6, "node-2"),),
    )
    assert chain.origin == "node-2"
    assert {"node-2 > orders", "node-2 > cart"} <= links(chain)


def test_a_slow_consumer_fills_its_queue_and_then_its_producers_fail() -> None:
    chain = told(
        "mailer > mail-queue, signup > mail-queue",
        "mailer slow_queries 5, mailer latency 5, mail-queue queue 9, signup errors 15",
        alerted="signup",
        said=[("signup", "publish failed: mail-queue is full", 15)],
    )
    assert chain.origin == "mailer"
    assert links(chain) == {"mailer > mail-queue", "mail-queue > signup"}


def test_a_broken_broker_is_the_origin_for_consumers_and_producers() -> None:
    chain = told(
        "mailer > broker, signup > broker",
        "broker disk 4, broker errors 5, mailer errors 8, signup errors 8",
        alerted="signup",
    )
    assert chain.origin == "broker"
    assert links(chain) == {"broker > mailer", "broker > signup"}


def test_a_cache_that_is_lost_loads_the_database_and_the_database_is_where_it_fails_first() -> None:
    chain = told(
        "catalog = product-db, front > catalog",
        "catalog cache_misses 5, product-db cpu 5, product-db slow_queries 12, catalog latency 14, front timeouts 15",
        alerted="product-db",
    )
    assert chain.origin == "product-db"
    assert links(chain) == {"product-db > catalog", "catalog > front"}


def test_a_cache_server_that_fails_is_the_origin_of_its_tenants() -> None:
    chain = told(
        "cart = redis, shop > cart",
        "redis memory 4, redis latency 5, cart latency 8, shop errors 11",
        alerted="shop",
        said=[("cart", "timeout reading from redis", 8)],
    )
    assert chain.origin == "redis"
    assert links(chain) == {"redis > cart", "cart > shop"}


def test_the_resolver_is_the_origin_where_names_cannot_be_looked_up() -> None:
    chain = told(
        "edge > cart, cart > stock, edge > search",
        "coredns errors 5, coredns latency 5, cart errors 8, search errors 8, edge errors 10",
        alerted="edge",
        said=[
            ("cart", "lookup stock.prod.svc: no such host", 8),
            ("search", "lookup index.prod.svc: i/o timeout", 8),
        ],
    )
    assert chain.origin == "coredns"
    assert {"coredns > cart", "coredns > search"} <= links(chain)


def test_lock_waits_in_a_store_reach_the_tenants_tenants() -> None:
    chain = told(
        "pay = pay-db, checkout > pay, edge > checkout",
        "pay-db locks 6, pay latency 7, pay errors 9, checkout errors 11, edge errors 13",
        alerted="edge",
    )
    assert chain.origin == "pay-db"
    assert links(chain) == {"pay-db > pay", "pay > checkout", "checkout > edge"}


def test_a_cache_that_empties_throws_its_load_on_the_store_behind_it() -> None:
    chain = told(
        "menu > menu-cache, menu = menu-pg, tables > menu-cache, tables = menu-pg, till = till-pg",
        "menu-cache cache_misses 5, menu-cache restarts 5, menu-pg cpu 7, menu-pg slow_queries 7,"
        "menu latency 9, tables latency 9, tables errors 11",
        alerted="tables",
        said=[("menu", "menu-pg: query timeout", 9), ("tables", "menu-pg: query timeout", 9)],
    )
    assert chain.origin == "menu-cache"
    assert links(chain) == {"menu-cache > menu-pg", "menu-pg > menu", "menu-pg > tables"}


def test_a_cache_that_is_away_throws_its_load_on_the_store_too() -> None:
    chain = told(
        "menu > sessions-redis, menu = menu-pg",
        "sessions-redis crash 5, menu-pg cpu 7, menu-pg connections 7, menu latency 9",
        alerted="menu",
    )
    assert chain.origin == "sessions-redis"
    assert "sessions-redis > menu-pg" in links(chain)


def test_a_cache_that_suffers_after_the_store_did_not_overload_it() -> None:
    chain = told(
        "menu > menu-cache, menu = menu-pg",
        "menu-pg locks 5, menu-pg slow_queries 5, menu latency 7, menu-cache latency 15",
        alerted="menu",
    )
    assert chain.origin == "menu-pg"
    assert "menu-cache > menu-pg" not in links(chain)


def test_a_store_that_nobody_shares_with_the_cache_is_not_behind_it() -> None:
    chain = told(
        "menu > menu-cache, till = till-pg, front > menu, front > till",
        "menu-cache cache_misses 5, menu-cache restarts 5, till-pg cpu 7, till latency 9, front errors 11",
        alerted="front",
        said=[("front", "till: deadline exceeded", 11)],
    )
    assert "menu-cache > till-pg" not in links(chain)
    assert chain.origin == "till-pg"


def test_a_zone_that_loses_packets_hits_all_that_run_there_and_its_nodes() -> None:
    chain = told(
        "gate > cards",
        "zone-b network 5, ledger errors 7, wallet errors 7, scan errors 8",
        alerted="wallet",
        on="zone-b: ledger wallet scan n1 n2, n1: ledger scan, n2: wallet, zone-a: cards gate",
        events=(event("node/n2", "NodeNotReady", "kubelet stopped posting status", 7, "n2"),),
    )
    assert chain.origin == "zone-b"
    assert {"zone-b > ledger", "zone-b > wallet", "zone-b > scan"} <= links(chain)


def test_one_lost_node_of_a_zone_is_not_its_zone() -> None:
    chain = told(
        "gate > cards",
        "wallet errors 7, purse errors 7",
        alerted="wallet",
        on="zone-b: ledger wallet purse n1 n2, n1: ledger, n2: wallet purse, zone-a: cards gate",
        events=(event("node/n2", "NodeNotReady", "kubelet stopped posting status", 6, "n2"),),
    )
    assert chain.origin == "n2"

"""Who asks for more is the origin, and who bears it the victim."""

from __future__ import annotations

from detection.chain import Sign
from detection.types import SymptomKind
from tests.unit.detection.chain.stories import MINUTE, links, told

_SHOP = "shop > catalog, offers > catalog, catalog = catalog-db"


def test_a_service_that_queries_more_for_each_request_is_the_origin_and_its_store_a_victim() -> None:
    signs = (
        "catalog query_count 10, catalog latency 10, catalog-db traffic 10, catalog-db cpu 10, "
        "shop latency 12, offers latency 12"
    )
    chain = told(_SHOP, signs, alerted="shop")
    assert chain.origin == "catalog"
    assert links(chain) == {"catalog > catalog-db", "catalog > shop", "catalog > offers"}


def test_a_store_that_was_slow_before_its_user_queried_more_is_the_origin() -> None:
    signs = "catalog-db cpu 8, catalog-db slow_queries 8, catalog latency 12, catalog query_count 16, shop latency 13"
    assert told(_SHOP, signs, alerted="shop").origin == "catalog-db"


def test_the_only_user_of_a_store_that_gets_more_queries_without_more_requests_is_the_origin() -> None:
    signs = (
        "cache cache_misses 9, catalog latency 10, catalog-db traffic 10, catalog-db cpu 10, "
        "catalog-db slow_queries 10, shop latency 12"
    )
    chain = told(f"{_SHOP}, catalog = cache", signs, alerted="shop")
    assert chain.origin == "catalog"
    assert "catalog > catalog-db" in links(chain)


def test_a_store_that_bears_more_long_before_its_user_suffers_failed_first() -> None:
    signs = (
        "catalog cache_misses 2, catalog-db traffic 2, catalog-db cpu 2, catalog-db slow_queries 12, catalog latency 18"
    )
    assert told(_SHOP, signs, alerted="catalog-db").origin == "catalog-db"


def test_more_queries_from_one_of_several_users_blame_none_of_them_unseen() -> None:
    signs = "catalog latency 10, offers latency 10, db traffic 10, db cpu 10, db slow_queries 10, shop latency 12"
    chain = told("shop > catalog, shop > offers, catalog = db, offers = db", signs, alerted="shop")
    assert chain.origin == "db"


def test_a_part_that_repeats_its_own_calls_is_not_sent_more_by_its_only_caller() -> None:
    signs = "reco memory 8, reco latency 8, page traffic 10, page retries 10, page errors 10, edge errors 12"
    chain = told("edge > page, page > reco", signs, alerted="page", said=[("page", "calling reco failed", 10.0)])
    assert links(chain) == {"reco > page", "page > edge"}


def test_a_cache_that_only_misses_more_is_no_origin_but_one_that_evicts_is() -> None:
    calls = "shop > catalog, catalog = cache"
    signs = "cache cache_misses 9, catalog latency 10, shop latency 12"
    assert told(calls, signs, alerted="shop").origin == "catalog"
    evicts = told(calls, f"{signs}, cache memory 9", alerted="shop")
    assert evicts.origin == "cache"


def test_in_a_crowd_the_entry_that_saturates_is_the_origin_not_who_calls_it_slow() -> None:
    parts = ("web", "cart", "pay")
    signs = ", ".join(f"{part} traffic 10, {part} cpu 10" for part in parts)
    signs += ", web latency 11, web errors 13, cart latency 14, pay latency 14"
    said = [(part, "slow answer from web: 2100ms", 12.0) for part in ("cart", "pay")]
    said.append(("web", "request queued for 2100ms before a worker was free", 11.0))
    chain = told("", signs, alerted="web", said=said, more_parts=parts)
    assert chain.origin == "web"
    assert set(chain.victims) == {"cart", "pay"}


def test_in_a_crowd_on_the_map_those_that_call_the_entry_slow_are_sent_more_by_it() -> None:
    parts = ("web", "cart", "pay")
    signs = ", ".join(f"{part} traffic 11, {part} cpu 11" for part in parts) + ", web latency 11, cart latency 15"
    said = [(part, "slow answer from web: 2100ms", 9.0) for part in ("cart", "pay")]
    chain = told("web > cart, web > pay", signs, alerted="web", said=said)
    assert links(chain) == {"web > cart", "web > pay"}


def test_a_blip_of_a_neighbour_is_not_the_origin_of_timeouts_that_name_another() -> None:
    calls = "shop > cart, cart > stock-api, cart > pay-api"
    said = [("cart", "POST http://stock-api/v1 failed: context deadline exceeded after 80ms", 12.0)]
    signs = "pay-api latency 9, cart errors 13, cart timeouts 13, shop errors 15"
    assert told(calls, signs, alerted="cart", said=said).origin == "cart"


def test_a_neighbour_that_the_timeouts_name_is_the_origin() -> None:
    calls = "shop > cart, cart > stock-api, cart > pay-api"
    said = [("cart", "POST http://pay-api/v1 failed: context deadline exceeded after 80ms", 12.0)]
    signs = "pay-api latency 9, cart errors 13, cart timeouts 13, shop errors 15"
    assert told(calls, signs, alerted="cart", said=said).origin == "pay-api"


def test_who_complains_of_old_messages_fell_behind_and_the_queue_filled_up() -> None:
    said = [("worker", "oldest message is 900s old", 16.0)]
    chain = told("orders = queue, worker = queue", "queue queue 10", alerted="queue", said=said)
    assert chain.origin == "worker"
    assert links(chain) == {"worker > queue"}


def test_a_queue_that_fills_with_nobody_complaining_stays_the_origin() -> None:
    assert told("orders = queue, worker = queue", "queue queue 10", alerted="queue").origin == "queue"


def test_a_crowd_that_came_before_is_why_a_store_that_counts_no_queries_is_full() -> None:
    signs = (
        "feed traffic 10, feed cpu 10, db connections 13, db latency 13, feed latency 14, web latency 15, web traffic 9"
    )
    signs += ", web queue 9"
    chain = told("web > feed, feed = db", signs, alerted="feed")
    assert "db > feed" not in links(chain)
    assert "feed > db" in links(chain)


def test_a_store_that_was_full_before_more_was_asked_is_not_full_of_it() -> None:
    signs = "db connections 10, db latency 10, feed latency 11, feed errors 12, feed traffic 13, web errors 13"
    chain = told("web > feed, feed = db", signs, alerted="web")
    assert chain.origin == "db"
    assert "feed > db" not in links(chain)


def test_a_store_with_trouble_that_load_does_not_bring_is_not_full_of_the_crowd() -> None:
    signs = "feed traffic 10, feed latency 14, db disk 12, db crash 12, feed errors 15"
    assert told("feed = db", signs, alerted="feed").origin == "db"


_POST = "shop > orders, orders > broker, bills > broker"


def test_a_consumer_that_fell_behind_filled_the_queue_until_it_refused_its_producers() -> None:
    signs = (
        "bills latency 8, bills traffic_lost 8, broker queue 8, broker memory 12, broker locks 20, broker errors 20, "
        "orders errors 21, shop errors 22"
    )
    chain = told(_POST, signs, alerted="shop")
    assert chain.origin == "bills"
    assert links(chain) == {"bills > broker", "broker > orders", "orders > shop"}


def test_a_broker_that_fails_before_it_fills_up_is_not_filled_by_its_consumer() -> None:
    signs = "broker errors 8, broker disk 8, broker queue 12, bills latency 9, orders errors 10, shop errors 12"
    chain = told(_POST, signs, alerted="shop")
    assert chain.origin == "broker"
    assert "bills > broker" not in links(chain)


def test_who_asks_more_for_each_request_may_be_well_itself() -> None:
    signs = "bff query_count 8, feed traffic 9, feed cpu 9, db connections 12, db latency 13"
    signs += ", feed latency 13, likes errors 14"
    chain = told("bff > feed, feed = db, likes = db", signs, alerted="likes")
    assert chain.origin == "bff"
    assert links(chain) == {"bff > feed", "feed > db", "db > likes"}


def test_a_cache_that_lost_what_it_kept_drowns_the_store_behind_it_and_is_the_origin() -> None:
    calls = "shop > catalog, catalog > cache, catalog > db"
    signs = "db traffic 11, db cpu 11, catalog latency 13, shop errors 15"
    emptied = [
        Sign("cache", SymptomKind.CACHE_MISSES, 9 * MINUTE, 10 * MINUTE, 50.0, name, source="metric")
        for name in ("hit_ratio", "curr_items")
    ]
    chain = told(calls, signs, alerted="shop", more_signs=emptied)
    assert chain.origin == "cache"
    assert links(chain) >= {"cache > db", "db > catalog", "catalog > shop"}
    assert told(calls, signs, alerted="shop", more_signs=emptied[:1]).origin != "cache"


def test_a_service_that_is_asked_again_because_its_store_is_slow_is_not_harmed_by_its_only_caller() -> None:
    signs = "db connections 10, db cpu 10, api traffic 10, api errors 10, api latency 10, front errors 10"
    chain = told("front > api, api > db", signs, alerted="front")
    assert chain.origin == "db"
    assert links(chain) == {"db > api", "api > front"}


def test_who_repeats_its_calls_before_more_arrives_than_the_callee_can_take_is_the_origin() -> None:
    signs = (
        "cart retries 10, stock traffic 11, stock throttled 11, stock cpu 12, stock latency 12, cart errors 13, "
        "cart latency 13, shop errors 14"
    )
    said = [("cart", "stock-api reserve failed, retrying (attempt 4/8)", 10.5)]
    chain = told("shop > cart, cart > stock", signs, alerted="stock", said=said)
    assert chain.origin == "cart"
    assert links(chain) == {"cart > stock", "cart > shop"}


def test_who_repeats_its_calls_in_answer_to_a_callee_that_fails_is_a_victim() -> None:
    signs = "stock errors 8, stock latency 8, cart retries 10, stock traffic 11, cart errors 11, shop errors 13"
    assert told("shop > cart, cart > stock", signs, alerted="shop").origin == "stock"


def test_what_was_as_usual_again_before_it_began_is_not_the_origin() -> None:
    blip = Sign("basket", SymptomKind.LATENCY, 3 * MINUTE, 4 * MINUTE, 11.0, "latency", source="metric", ended_at=420.0)
    signs = "cart retries 12, cart errors 13, shop errors 15"
    chain = told("shop > cart, cart > basket", signs, alerted="cart", more_signs=[blip])
    assert chain.origin == "cart"


def test_what_was_still_off_when_it_began_can_be_the_origin() -> None:
    ended = 13 * MINUTE
    blip = Sign(
        "basket", SymptomKind.LATENCY, 10 * MINUTE, 11 * MINUTE, 11.0, "latency", source="metric", ended_at=ended
    )
    chain = told("shop > cart, cart > basket", "cart errors 13, shop errors 15", alerted="cart", more_signs=[blip])
    assert chain.origin == "basket"


def test_a_blip_that_had_passed_is_not_blamed_for_waits_that_were_cut_to_a_fraction_of_a_second() -> None:
    blip = Sign("stock", SymptomKind.LATENCY, 360.0, 420.0, 11.0, "latency", source="metric", ended_at=600.0)
    text = "POST http://stock/v1 failed: context deadline exceeded after"
    said = [("cart", f"{text} 80ms", 12.0), ("cart", f"{text} <N>ms", 12.5)]
    signs = "cart errors 13, cart timeouts 12, stock cancelled 12, shop errors 15"
    chain = told("shop > cart, cart > stock", signs, alerted="cart", said=said, more_signs=[blip])
    assert chain.origin == "cart"

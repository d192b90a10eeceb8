"""Counting in memory stays small whatever comes in."""

from __future__ import annotations

from bot.reception.arrivals.glance import Glance, look
from bot.reception.arrivals.hints import offset_text, span_text
from bot.reception.arrivals.tallies import KEPT_MINUTES, MOST_SERVICES, MOST_TALLIES, OTHERS, Tallies
from detection.types import Event, LogRecord

NOW = 1_770_465_600.0


def log(service: str, *, at: float = NOW) -> LogRecord:
    return LogRecord("r", service, None, at, "INFO", "hello")


def test_more_senders_than_are_told_apart_are_counted_together() -> None:
    tallies = Tallies()
    for number in range(MOST_TALLIES + 50):
        tallies.came_in(f"sender {number}", "loki", now=NOW, accepted=1, glance=Glance())
    [minute] = tallies.unkept
    content = tallies.content(minute)
    assert len(content) == MOST_TALLIES + 1
    assert sum(one["records"] for one in content) == MOST_TALLIES + 50
    assert content[-1]["sender"] == OTHERS


def test_more_services_than_are_told_apart_are_counted_together() -> None:
    tallies = Tallies()
    records = [log(f"service {number}") for number in range(100)]
    tallies.came_in("shop", "loki", now=NOW, accepted=100, glance=look(records, NOW))
    [content] = tallies.content(int(NOW // 60))
    assert len(content["services"]) == MOST_SERVICES + 1
    assert sum(content["services"].values()) == 100


def test_what_cannot_be_kept_for_an_hour_is_forgotten() -> None:
    tallies = Tallies()
    for minute in range(2 * KEPT_MINUTES):
        tallies.refused("shop", "loki", "unavailable", "the database is away", now=NOW + 60 * minute)
    assert len(tallies.unkept) == KEPT_MINUTES


def test_a_minute_that_is_kept_and_over_needs_no_memory_and_one_that_changed_meanwhile_is_kept_again() -> None:
    tallies = Tallies()
    first, second = int(NOW // 60), int(NOW // 60) + 1
    for at in (NOW, NOW + 60):
        tallies.came_in("shop", "loki", now=at, accepted=1, glance=Glance())
    tallies.unkept.clear()
    tallies.came_in("shop", "loki", now=NOW + 1, accepted=1, glance=Glance())
    tallies.kept([first, second])
    assert tallies.unkept == {first}
    assert tallies.content(first)[0]["records"] == 2
    assert tallies.content(second)[0]["records"] == 1


def test_a_body_of_nothing_leaves_no_trace() -> None:
    tallies = Tallies()
    tallies.came_in("shop", "datadog_logs", now=NOW, accepted=0, glance=look([], NOW))
    assert not tallies.unkept


def test_the_newest_record_of_a_body_tells_the_clock() -> None:
    assert look([log("a", at=NOW - 400), log("b", at=NOW - 2)], NOW) == Glance(
        {"a": 1, "b": 1}, 1, 2.0, [log("a", at=NOW - 400), log("b", at=NOW - 2)]
    )
    assert look([Event("e", "paid", "u", NOW + 9, {})], NOW).age == -9.0


def test_spans_of_time_are_written_as_people_say_them() -> None:
    said = [span_text(seconds) for seconds in (0.42, 12, 89, 420, 3600, 18_000, 19_800, 86_400, 5 * 86_400)]
    assert said == ["0.4 s", "12 s", "89 s", "7 min", "1 h", "5 h", "5 h 30 min", "24 h", "5 days"]
    assert [offset_text(offset) for offset in (None, -12.0, 0.01, 3.0)] == ["?", "12 s ahead", "0.0 s", "3.0 s"]

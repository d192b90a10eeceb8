"""Pulling log documents from Elasticsearch, against the stand-in in elasticsearch_server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.setup import probes
from integrations import elasticsearch
from integrations.elasticsearch import ElasticsearchReader, Search
from integrations.errors import AuthenticationError, NotFoundError, RejectedError, RetryableError
from storage.cursors import read_cursor
from tests.scenarios.workers.elasticsearch_server import Elasticsearch, running_elasticsearch
from tests.scenarios.workers.fakes import FakeChat
from tests.scenarios.workers.worker import Clock, Worker
from workers.errors import NotYetError
from workers.lifecycle.tick import tick
from workers.running.elasticsearch_pull import PullCounts, pull_elasticsearch, pull_once, time_of_hit
from workers.services import Services
from workers.watching.delays import delays


@pytest.fixture
def server(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Elasticsearch]:
    monkeypatch.setattr(elasticsearch, "PAGE", 10)
    with running_elasticsearch("es-key") as running:
        services.settings = services.settings.model_copy(
            update={"elasticsearch_url": running.url, "elasticsearch_api_key": SecretStr("es-key")}
        )
        yield running


def put(server: Elasticsearch, clock: Clock, *names: str, seconds_ago: float = 0.0) -> None:
    moment = (clock() - timedelta(seconds=seconds_ago)).isoformat()
    for name in names:
        server.documents[name] = {
            "@timestamp": moment,
            "message": f"refused {name}",
            "log.level": "error",
            "service.name": "shop",
        }


def bodies(services: Services) -> list[str]:
    return sorted(record.body for record in services.telemetry.log_samples(since=0.0, until=1e11, limit=10_000))


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number:03}" for number in range(count)]


def test_each_document_is_stored_once_over_many_pages_and_pulls(
    services: Services, clock: Clock, server: Elasticsearch
) -> None:
    put(server, clock, *names("a", 35), seconds_ago=5)
    assert pull_once(services) == PullCounts(stored=35)
    clock.forward(30)
    put(server, clock, *names("b", 7))
    assert pull_once(services) == PullCounts(stored=7, known=35)
    clock.forward(600)
    # The cursor stays at the newest document, so delayed documents are found.
    assert pull_once(services) == PullCounts(known=42)
    clock.forward(3 * 3600)
    pull_once(services)
    assert pull_once(services) == PullCounts()
    assert bodies(services) == [f"refused {name}" for name in (*names("a", 35), *names("b", 7))]


def test_many_documents_with_the_same_time_are_all_found(
    services: Services, clock: Clock, server: Elasticsearch
) -> None:
    put(server, clock, *names("same", 45), seconds_ago=1)
    pull_once(services)
    clock.forward(10)
    put(server, clock, "late", seconds_ago=11)
    pull_once(services)
    assert len(bodies(services)) == 46


def test_a_document_that_became_searchable_late_is_found(
    services: Services, clock: Clock, server: Elasticsearch
) -> None:
    put(server, clock, "first")
    pull_once(services)
    clock.forward(60)
    put(server, clock, "second")
    pull_once(services)
    put(server, clock, "late", seconds_ago=100)
    clock.forward(30)
    pull_once(services)
    assert bodies(services) == ["refused first", "refused late", "refused second"]


def test_an_error_midway_keeps_the_pages_read_and_the_next_pull_continues_there(
    services: Services, clock: Clock, server: Elasticsearch
) -> None:
    for number in range(30):
        put(server, clock, f"n{number:03}", seconds_ago=600 - 10 * number)
    server.fail_at = 3
    with pytest.raises(RetryableError, match="shards are moving"):
        pull_once(services)
    assert len(bodies(services)) == 20
    pull_once(services)
    assert len(bodies(services)) == 30
    again = server.searches[3]["query"]["bool"]["filter"][0]["range"]["@timestamp"]["gte"]
    assert again > server.searches[0]["query"]["bool"]["filter"][0]["range"]["@timestamp"]["gte"]
    assert server.points == {}


def test_a_document_from_the_future_does_not_move_the_cursor_ahead(
    services: Services, clock: Clock, server: Elasticsearch
) -> None:
    put(server, clock, "now")
    put(server, clock, "future", seconds_ago=-7200)
    pull_once(services)
    clock.forward(60)
    put(server, clock, "later")
    pull_once(services)
    assert bodies(services) == ["refused later", "refused now"]


def test_an_unreadable_document_is_skipped_and_the_others_are_stored(
    services: Services, clock: Clock, server: Elasticsearch
) -> None:
    put(server, clock, "good", "bad")
    server.documents["bad"]["ingested"] = server.documents["bad"]["@timestamp"]
    server.documents["good"]["ingested"] = server.documents["bad"]["@timestamp"]
    server.documents["bad"]["@timestamp"] = "yesterday"
    services.settings = services.settings.model_copy(update={"elasticsearch_time_field": "ingested"})
    assert pull_once(services) == PullCounts(stored=1, refused=1)


def test_a_log_record_keeps_the_documents_content(services: Services, clock: Clock, server: Elasticsearch) -> None:
    put(server, clock, "one")
    pull_once(services)
    [record] = services.telemetry.log_samples(since=0.0, until=1e11)
    assert (record.service, record.severity, record.record_id) == ("shop", "ERROR", "elasticsearch:logs-shop:one")
    assert record.happened_at == clock().timestamp()


def test_a_wrong_key_is_reported_and_moves_no_cursor(services: Services, clock: Clock, server: Elasticsearch) -> None:
    services.settings = services.settings.model_copy(update={"elasticsearch_api_key": SecretStr("wrong")})
    with pytest.raises(AuthenticationError, match="unable to authenticate"):
        pull_once(services)
    with services.readers() as session:
        assert read_cursor(session, f"elasticsearch:{server.url}:logs-*", dict) is None


def test_the_job_does_nothing_without_an_elasticsearch_url(services: Services) -> None:
    pull_elasticsearch(services)
    assert bodies(services) == []


def test_two_workers_do_not_pull_at_the_same_time(services: Services, server: Elasticsearch) -> None:
    lock = services.redis.lock("argux:elasticsearch", timeout=120, blocking=False)
    assert lock.acquire()
    with pytest.raises(NotYetError):
        pull_elasticsearch(services)
    lock.release()
    pull_elasticsearch(services)


def test_an_unreachable_server_is_named_in_the_error(server: Elasticsearch) -> None:
    with ElasticsearchReader("http://127.0.0.1:1", api_key=None) as reader, pytest.raises(RetryableError):
        reader.check()
    with ElasticsearchReader(server.url, api_key="es-key") as reader:
        assert reader.check() == "acme, version 9.0.0"


@pytest.mark.parametrize(
    ("index", "time_field", "said"),
    [
        ("logs-*", "@timestamp", "reads 1 index by @timestamp"),
        ("log-*", "@timestamp", "no index is called log-*: look at ELASTICSEARCH_INDEX"),
        ("logs-shp", "@timestamp", "no such index [logs-shp]"),
        ("logs-*", "@timestmp", "logs-* has no field @timestmp: look at ELASTICSEARCH_TIME_FIELD"),
    ],
)
def test_the_doctor_asks_for_the_very_index_and_time_field(
    services: Services, clock: Clock, server: Elasticsearch, index: str, time_field: str, said: str
) -> None:
    put(server, clock, "one")
    settings = services.settings.model_copy(
        update={
            "elasticsearch_url": server.url,
            "elasticsearch_api_key": SecretStr("es-key"),
            "elasticsearch_index": index,
            "elasticsearch_time_field": time_field,
        }
    )
    if index == "logs-*" and time_field == "@timestamp":
        assert probes.elasticsearch(settings).endswith(said)
        return
    with pytest.raises(NotFoundError, match=re.escape(said)):
        probes.elasticsearch(settings)


def test_a_time_field_without_times_is_named_in_the_error(
    services: Services, clock: Clock, server: Elasticsearch
) -> None:
    put(server, clock, "one")
    server.documents["one"]["@timestamp"] = "1999-01-01T00:00:00+00:00"
    reader = ElasticsearchReader(server.url, api_key="es-key")
    with reader:
        search = Search("logs-*", "*", "@timestamp", since=0.0, until=clock().timestamp())
        [[hit]] = list(reader.pages(search))
    with pytest.raises(RejectedError, match="ELASTICSEARCH_TIME_FIELD"):
        time_of_hit(hit, search, clock().timestamp())


def test_an_elasticsearch_that_cannot_be_read_is_told_until_it_can(
    services: Services, worker: Worker, clock: Clock, server: Elasticsearch
) -> None:
    assert isinstance(services.chat, FakeChat)
    good = services.settings
    services.settings = good.model_copy(update={"elasticsearch_api_key": SecretStr("wrong")})
    for _ in range(3):
        with pytest.raises(AuthenticationError):
            pull_elasticsearch(services)
        tick(services)
        worker.run()
        clock.forward(40)
    with services.readers() as session:
        told = " ".join(delays(services, session).sentences())
    assert "Log lines of Elasticsearch have not been read since" in told
    assert "unable to authenticate" in told
    [message] = [posted.card for posted in services.chat.messages.values()]
    assert "unable to authenticate" in message.text
    services.settings = good
    pull_elasticsearch(services)
    tick(services)
    worker.run()
    assert [posted.card.title for posted in services.chat.messages.values()][1:] == ["Argux keeps up again"]
    pull_elasticsearch(services)

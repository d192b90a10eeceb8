"""The vendors' own client libraries, unchanged. Only the address and the key are Argux's."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import logging_loki
import pytest
import sentry_sdk
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.logs_api import LogsApi
from datadog_api_client.v2.model.content_encoding import ContentEncoding
from datadog_api_client.v2.model.http_log import HTTPLog
from datadog_api_client.v2.model.http_log_item import HTTPLogItem
from elasticsearch import AuthenticationException, Elasticsearch
from elasticsearch.helpers import BulkIndexError, bulk, parallel_bulk

from detection.types import LogRecord
from tests.functional.stack import eventually
from tests.functional.web import Web

OPERATION = "submit_log"


def records_of(web: Web, service: str) -> Sequence[LogRecord]:
    return [record for record in web.logs() if record.service == service]


def datadog(web: Web, key: str) -> LogsApi:
    configuration = Configuration(
        api_key={"apiKeyAuth": key},
        server_operation_index={OPERATION: 1},
        server_operation_variables={OPERATION: {"name": f"127.0.0.1:{web.port}", "protocol": "http"}},
    )
    return LogsApi(ApiClient(configuration))


@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate"])
def test_the_datadog_client_sends_logs_in_every_encoding(web: Web, encoding: str) -> None:
    service = f"datadog-{encoding}"
    items = [
        HTTPLogItem(message=f"payment {word}", service=service, ddsource="python", ddtags="env:prod,version:v42",
                    hostname="web-1", status=word)
        for word in ("error", "info")
    ]  # fmt: skip

    datadog(web, web.key).submit_log(HTTPLog(items), content_encoding=ContentEncoding(encoding))

    stored = records_of(web, service)
    assert sorted((record.body, record.severity, record.version) for record in stored) == [
        ("payment error", "ERROR", "v42"),
        ("payment info", "INFO", "v42"),
    ]
    assert stored[0].attributes["tags"] == {"env": "prod", "version": "v42"}


def test_the_datadog_client_gets_401_for_a_wrong_key(web: Web) -> None:
    with pytest.raises(ApiException) as refused:
        datadog(web, "argux_wrong").submit_log(HTTPLog([HTTPLogItem(message="hello")]))
    assert refused.value.status == 401


@pytest.fixture
def sentry(web: Web) -> Any:
    sentry_sdk.init(
        dsn=f"http://{web.key}@127.0.0.1:{web.port}/7",
        release="shop@v42",
        environment="production",
        traces_sample_rate=1.0,
        enable_logs=True,
        shutdown_timeout=30,
    )
    yield sentry_sdk
    sentry_sdk.get_client().close()


def test_the_sentry_sdk_sends_exceptions_messages_and_logs(web: Web, sentry: Any) -> None:
    def pay() -> None:
        raise ValueError("the card was refused")

    with sentry.start_transaction(op="http.server", name="POST /checkout"):
        try:
            pay()
        except ValueError as error:
            sentry.capture_exception(error)
    sentry.capture_message("stock is low", level="warning")
    logging.getLogger("shop").error("the queue is full: %d", 7)
    sentry.logger.warning("disk at {percent} %", percent=91)
    sentry.flush(timeout=30)

    # The service also has other records: other logs of this process, and other tests' alerts.
    refusal, warning = "ValueError: the card was refused", "stock is low"
    failure, measure = "the queue is full: 7", "disk at 91 %"

    def stored() -> dict[str, LogRecord] | None:
        found = {record.body: record for record in records_of(web, "shop")}
        return found if found.keys() >= {refusal, warning, failure, measure} else None

    found = eventually(stored, seconds=60, what="what the SDK sent")
    refused = found[refusal]
    assert (refused.severity, refused.version) == ("ERROR", "v42")
    assert refused.attributes["environment"] == "production"
    assert str(refused.attributes["frames"]).count("in pay") == 1
    assert refused.trace_id is not None
    assert found[warning].severity == "WARN"
    assert found[failure].severity == "ERROR"
    assert found[measure].severity == "WARN"


def elastic(web: Web, **credentials: Any) -> Elasticsearch:
    return Elasticsearch(web.url, request_timeout=30, **credentials)


def documents(service: str, count: int) -> list[dict[str, Any]]:
    return [
        {
            "_op_type": "create",
            "_index": "logs-shop",
            "_id": f"{service}-{number}",
            "_source": {
                "@timestamp": "2026-02-07T12:00:00.123Z",
                "message": f"line {number}",
                "log": {"level": "error"},
                "service": {"name": service, "version": "v42"},
                "trace": {"id": "ab" * 16},
            },
        }
        for number in range(count)
    ]


@pytest.mark.parametrize("way", ["api_key", "basic_auth", "bearer_auth"])
def test_the_elasticsearch_bulk_helper_indexes_documents_with_every_kind_of_credentials(web: Web, way: str) -> None:
    credentials = {"basic_auth": ("argux", web.key)} if way == "basic_auth" else {way: web.key}
    service = f"elastic-{way}"

    with elastic(web, **credentials) as client:
        done, errors = bulk(client, documents(service, 250), chunk_size=100)

    assert (done, errors) == (250, [])
    stored = records_of(web, service)
    assert len(stored) == 250
    one = stored[0]
    assert (one.severity, one.version, one.trace_id, one.happened_at) == ("ERROR", "v42", "ab" * 16, 1770465600.123)


def test_documents_that_the_elasticsearch_client_sends_twice_are_stored_once(web: Web) -> None:
    with elastic(web, api_key=("an-id", web.key)) as client:
        bulk(client, documents("elastic-twice", 20))
        assert all(ok for ok, _ in parallel_bulk(client, documents("elastic-twice", 20), chunk_size=5))
    assert len(records_of(web, "elastic-twice")) == 20


def test_the_elasticsearch_client_learns_which_document_was_refused_and_the_others_are_kept(web: Web) -> None:
    good = documents("elastic-mixed", 3)
    good[1]["_source"]["@timestamp"] = "the day before yesterday"
    with elastic(web, api_key=web.key) as client, pytest.raises(BulkIndexError) as refused:
        bulk(client, good)
    [error] = refused.value.errors
    assert error["create"]["_id"] == "elastic-mixed-1"
    assert error["create"]["error"]["reason"].startswith("@timestamp:")
    assert len(records_of(web, "elastic-mixed")) == 2


def test_the_elasticsearch_client_accepts_the_server_and_gets_an_error_for_a_wrong_key(web: Web) -> None:
    with elastic(web, api_key=web.key, http_compress=True) as client:
        assert client.info()["cluster_name"] == "argux"
        assert client.ping()
        bulk(client, documents("elastic-gzip", 2))
    assert len(records_of(web, "elastic-gzip")) == 2
    with elastic(web, api_key="argux_wrong") as client, pytest.raises(AuthenticationException):
        bulk(client, documents("elastic-wrong", 1))


def test_python_logging_loki_pushes_records_of_the_logging_module(web: Web) -> None:
    handler = logging_loki.LokiHandler(
        url=f"{web.url}/loki/api/v1/push", tags={"app": "loki-shop"}, auth=("argux", web.key), version="1"
    )
    logger = logging.Logger("checkout")
    logger.addHandler(handler)
    failures: list[logging.LogRecord] = []
    handler.handleError = failures.append

    logger.error("payment refused", extra={"tags": {"trace_id": "cd" * 16}})
    logger.info("payment taken")
    handler.close()

    assert failures == []
    refused, taken = records_of(web, "loki-shop")
    assert (refused.body, refused.severity, refused.trace_id) == ("payment refused", "ERROR", "cd" * 16)
    assert (taken.body, taken.severity) == ("payment taken", "INFO")
    assert refused.attributes["logger"] == "checkout"

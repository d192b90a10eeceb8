"""Read documents from Elasticsearch in the order of their time.

A point in time keeps the view of the index unchanged while we page through a search with search_after:
https://www.elastic.co/docs/reference/elasticsearch/rest-apis/paginate-search-results
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from integrations.errors import NotFoundError, RejectedError
from integrations.http import error_for_status, retry_after_seconds, unreachable

SYSTEM = "Elasticsearch"
PAGE = 1_000
KEEP_ALIVE = "2m"
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that matched. `time` is the sort value of its time field, usually milliseconds."""

    index: str
    document_id: str
    source: Mapping[str, Any]
    time: object


@dataclass(frozen=True, slots=True)
class Search:
    """A search for documents of `index` that match a query string, with the time field between `since` and `until`.

    Both limits are inclusive, in seconds since 1970.
    """

    index: str
    query: str
    time_field: str
    since: float
    until: float


class ElasticsearchReader:
    """A connection to Elasticsearch; use it as a context manager. It does not retry: the next poll does."""

    def __init__(self, url: str, *, api_key: str | None) -> None:
        headers = {"Authorization": f"ApiKey {api_key}"} if api_key else {}
        self._client = httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=TIMEOUT_SECONDS)

    def __enter__(self) -> ElasticsearchReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def pages(self, search: Search) -> Iterator[Sequence[Hit]]:
        """Yield all matches, oldest first, in pages of PAGE. Raises IntegrationError."""
        opened = self._ask("POST", f"/{quote(search.index, safe=',*')}/_pit", params={"keep_alive": KEEP_ALIVE})
        point = str(opened["id"])
        try:
            after: list[Any] | None = None
            while True:
                answer = self._ask("POST", "/_search", json=_request(search, point, after))
                point = str(answer.get("pit_id", point))
                found = answer["hits"]["hits"]
                if found:
                    yield [_hit(hit) for hit in found]
                if len(found) < PAGE:
                    return
                after = found[-1]["sort"]
        except (KeyError, TypeError, IndexError) as error:
            raise RejectedError(SYSTEM, "its answer has not the shape of a search's") from error
        finally:
            # The point in time also expires by itself. An error here must not hide the results.
            with suppress(httpx.HTTPError):
                self._client.request("DELETE", "/_pit", json={"id": point})

    def check(self) -> str:
        """Return the cluster's name and version. Raises IntegrationError."""
        told = self._ask("GET", "/")
        return f"{told.get('cluster_name', 'a cluster')}, version {told.get('version', {}).get('number', 'unknown')}"

    def check_index(self, index: str, time_field: str) -> str:
        """Return how many indices are read. Raises NotFoundError if there is none, or none has the time field.

        https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-field-caps
        """
        told = self._ask("GET", f"/{quote(index, safe=',*')}/_field_caps", params={"fields": time_field})
        found = told.get("indices") or []
        if not found:
            raise NotFoundError(SYSTEM, f"no index is called {index}: look at ELASTICSEARCH_INDEX")
        if time_field not in (told.get("fields") or {}):
            raise NotFoundError(SYSTEM, f"{index} has no field {time_field}: look at ELASTICSEARCH_TIME_FIELD")
        return f"reads 1 index by {time_field}" if len(found) == 1 else f"reads {len(found)} indices by {time_field}"

    def _ask(self, method: str, path: str, **parts: Any) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, **parts)
        except httpx.HTTPError as error:
            raise unreachable(SYSTEM, error) from error
        if response.is_error:
            wait = retry_after_seconds(response.headers.get("Retry-After"), now=time.time())
            raise error_for_status(SYSTEM, response.status_code, _reason(response), retry_after_seconds=wait)
        try:
            told = response.json()
        except ValueError as error:
            raise RejectedError(SYSTEM, "it answered something that is not JSON") from error
        if not isinstance(told, dict):
            raise RejectedError(SYSTEM, "it answered something that is not an object")
        return told


def _request(search: Search, point: str, after: Sequence[Any] | None) -> dict[str, Any]:
    between = {"gte": int(search.since * 1000), "lte": int(search.until * 1000), "format": "epoch_millis"}
    request: dict[str, Any] = {
        "size": PAGE,
        "query": {
            "bool": {
                "filter": [
                    {"range": {search.time_field: between}},
                    {"query_string": {"query": search.query}},
                ]
            }
        },
        "sort": [{search.time_field: {"order": "asc"}}, {"_shard_doc": "asc"}],
        "pit": {"id": point, "keep_alive": KEEP_ALIVE},
        "track_total_hits": False,
    }
    return request | ({"search_after": list(after)} if after is not None else {})


def _hit(found: Mapping[str, Any]) -> Hit:
    return Hit(str(found["_index"]), str(found["_id"]), found.get("_source") or {}, found["sort"][0])


def _reason(response: httpx.Response) -> str:
    """Return the reason of a failure: from Elasticsearch's JSON, or the plain text of a proxy in front of it."""
    try:
        error = response.json()["error"]
        return str(error.get("reason", error)) if isinstance(error, dict) else str(error)
    except (ValueError, KeyError, TypeError):
        return response.text[:300]

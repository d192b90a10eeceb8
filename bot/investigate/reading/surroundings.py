"""Read what surrounds the services, of an export: the service map, orchestrator events, status feeds, signatures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.investigate.reading.documents import items_of, json_of
from bot.investigate.reading.fields import moment, name, number, required_moment, text, texts
from bot.investigate.reading.problems import Problems
from detection.types import EdgeKind, LogSignature, OrchestratorEvent, ProviderStatus, ServiceEdge, ServicePlace
from integrations.inbound.reading.records import FieldError

DECLARED = "declared"
_MESSAGES = re.compile(
    r"\basync|kafka|amqp|rabbit|\bsqs\b|\bsns\b|pub/?sub|kinesis|pulsar|\bnats\b|mqtt", re.IGNORECASE
)
_BROKER = re.compile(
    r"kafka|queue|broker|rabbit|pulsar|topic|stream$|\bbus$|[-_]bus\b|\bsqs\b|\bnats\b|mqtt", re.IGNORECASE
)
_READS = re.compile(r"\bconsum(?:es?|ing)\b|\bsubscrib|\breads\b|\bpolls\b|\bpulls\b", re.IGNORECASE)
_SENDS = re.compile(r"\bpublish|\bproduc|\bsends\b|\bemits\b|\bpush|\bhands\b", re.IGNORECASE)
_GOOD_WORDS = frozenset(("operational", "none", "ok", "healthy"))


def read_service_map(path: Path, problems: Problems) -> tuple[list[ServiceEdge], list[ServicePlace]]:
    """Return who calls whom, where each keeps its data, and on which nodes they run.

    services: names, or objects with `name`, `node` or `nodes`, `zone`, and `datastores`. edges: {from, to}, also caller
    and callee; a `node` on an edge is the callee's. datastores, nodes: objects by service.
    """
    document = json_of(path, problems)
    if document is None:
        return [], []
    if not isinstance(document, dict):
        problems.add(path.name, "", "must be an object with services and edges")
        return [], []
    for key, kinds in _MAP_KINDS.items():
        problems.wrong_kind(path.name, document, key, kinds)
    seen = _generated_at(document, path, problems)
    edges = [*_calls(document, path, problems, seen), *_stores(document, seen)]
    return edges, list(_places(document, seen))


_MAP_KINDS = {"services": (list,), "edges": (list,), "datastores": (list, dict)}


def _generated_at(document: Mapping[str, object], path: Path, problems: Problems) -> float:
    try:
        return moment(document, "generated_at") or 0.0
    except FieldError as error:
        problems.add(path.name, error.field, error.message)
        return 0.0


def _calls(document: Mapping[str, object], path: Path, problems: Problems, seen: float) -> Iterator[ServiceEdge]:
    stores = {store for _, store in _datastores(document)}
    for place, edge in _objects(document, "edges"):
        caller, callee = text(edge, "from", "caller", "source"), text(edge, "to", "callee", "target")
        if caller is None or callee is None:
            problems.add(path.name, place, "needs from and to")
            continue
        kind = EdgeKind.STORES if callee in stores else EdgeKind.CALLS
        if _hands_on(edge, caller, callee):
            caller, callee = callee, caller
        yield ServiceEdge(caller, callee, kind, DECLARED, seen, number(edge, "call_rate_rps", "calls_per_second"))


def _hands_on(edge: Mapping[str, object], sender: str, receiver: str) -> bool:
    """Whether an edge is of messages that the first hands on to the second: then it is the second that depends.

    Who sends to a queue or a broker depends on it as on any callee, and so does who says that it reads from it.
    """
    said = " ".join(text(edge, key) or "" for key in ("protocol", "mode", "type", "kind", "note", "via"))
    is_of_messages = _MESSAGES.search(said) or any(key in edge for key in ("topic", "queue", "stream"))
    if not is_of_messages or _BROKER.search(receiver):
        return False
    return bool(_BROKER.search(sender)) or not _READS.search(said) or bool(_SENDS.search(said))


def _stores(document: Mapping[str, object], seen: float) -> Iterator[ServiceEdge]:
    for service, store in _datastores(document):
        yield ServiceEdge(service, store, EdgeKind.STORES, DECLARED, seen)


def _datastores(document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    given = document.get("datastores")
    if isinstance(given, dict):
        for service, stores in given.items():
            for store in stores if isinstance(stores, list) else [stores]:
                if isinstance(store, str):
                    yield str(service), store
    for _, service in _objects(document, "services"):
        for store in texts(service, "datastores", "stores", "databases"):
            if said := text(service, "name", "service"):
                yield said, store


def _places(document: Mapping[str, object], seen: float) -> Iterator[ServicePlace]:
    for _, edge in _objects(document, "edges"):
        if (node := text(edge, "node")) and (callee := text(edge, "to", "callee", "target")):
            yield ServicePlace(callee, node, seen)
    for _, service in _objects(document, "services"):
        said = text(service, "name", "service")
        nodes = [node for node in (text(service, "node", "host"), *texts(service, "nodes", "hosts")) if node]
        zone = text(service, "zone", "availability_zone", "az")
        if said:
            yield from (ServicePlace(said, place, seen) for place in (*nodes, *([zone] if zone else [])))
        if zone and len(nodes) == 1:
            yield ServicePlace(nodes[0], zone, seen)
    for key in ("nodes", "placement"):
        yield from _placed(document, key, seen)


def _placed(document: Mapping[str, object], key: str, seen: float) -> Iterator[ServicePlace]:
    """Yield the places of {service: node}, of {node: [services]}, or of a list of nodes with their services."""
    given = document.get(key)
    if isinstance(given, dict):
        for left, right in given.items():
            if isinstance(right, str):
                yield ServicePlace(str(left), right, seen)
            elif isinstance(right, list):
                yield from (ServicePlace(other, str(left), seen) for other in right if isinstance(other, str))
    for _, node in _objects(document, key):
        if called := text(node, "name", "node"):
            yield from (ServicePlace(service, called, seen) for service in texts(node, "services", "pods", "workloads"))


def _objects(document: Mapping[str, object], key: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    given = document.get(key)
    for number_of, item in enumerate(given if isinstance(given, list) else ()):
        if isinstance(item, dict):
            yield f"{key}[{number_of}]", item


def read_events(path: Path, problems: Problems) -> list[OrchestratorEvent]:
    """Return the orchestrator's events of a list, or of {"events": […]}."""
    found = []
    for place, item in items_of(path, problems, "events", "items"):
        try:
            at = required_moment(item, "timestamp", "lastTimestamp", "time", "at")
            kind, about = text(item, "type") or "", text(item, "object", "involvedObject", "resource") or ""
            found.append(
                OrchestratorEvent(
                    event_id=f"export:{at}:{place}",
                    happened_at=at,
                    reason=text(item, "reason") or kind,
                    message=text(item, "message", "note") or "",
                    object_name=about,
                    namespace=text(item, "namespace") or "",
                    node=text(item, "node", "host"),
                    service=text(item, "service"),
                    is_warning=kind.lower() not in {"normal", "deployment", ""},
                )
            )
        except FieldError as error:
            problems.add(path.name, place, f"{error.field} {error.message}")
    return found


def read_status_feed(path: Path, problems: Problems) -> list[ProviderStatus]:
    """Return the incidents of a provider's feed: one feed, or a list of feeds, in Statuspage's form."""
    document = json_of(path, problems)
    found: list[ProviderStatus] = []
    for feed in document if isinstance(document, list) else [document]:
        if isinstance(feed, dict):
            found += _feed(feed, path, problems)
        elif feed is not None:
            problems.add(path.name, "", "must be an object with provider, components and incidents")
    return found


def _feed(feed: Mapping[str, object], path: Path, problems: Problems) -> Iterator[ProviderStatus]:
    page = feed.get("page")
    provider = text(feed, "provider", "name") or (text(page, "name") if isinstance(page, dict) else None) or "provider"
    hurt = [part for _, part in _objects(feed, "components") if (text(part, "status") or "").lower() not in _GOOD_WORDS]
    hosts = tuple(dict.fromkeys(host for part in hurt if (host := text(part, "endpoint", "host", "url"))))
    for key in ("components", "incidents", "api_error_rate_pct"):
        problems.wrong_kind(path.name, feed, key, (list,))
    rates = tuple(_error_rates(feed, path, problems))
    for place, item in _objects(feed, "incidents"):
        try:
            began = required_moment(item, "started_at", "created_at", "began_at")
            yield ProviderStatus(
                status_id=text(item, "id") or f"{provider}:{began}",
                provider=provider,
                title=name(item, "name", "title"),
                component=", ".join(dict.fromkeys(text(part, "name") or "" for part in hurt)),
                impact=text(item, "impact", "status") or "",
                began_at=began,
                ended_at=moment(item, "resolved_at", "ended_at"),
                hosts=hosts,
                error_rates=rates,
            )
        except FieldError as error:
            problems.add(path.name, place, f"{error.field} {error.message}")


def _error_rates(feed: Mapping[str, object], path: Path, problems: Problems) -> Iterator[tuple[float, float]]:
    """Yield the times and shares of calls that the provider says failed."""
    for place, point in _objects(feed, "api_error_rate_pct"):
        try:
            at, percent = required_moment(point, "timestamp"), number(point, "value")
        except FieldError as error:
            problems.add(path.name, place, f"{error.field} {error.message}")
            continue
        if percent is None:
            problems.add(path.name, place, "value is no number")
        else:
            yield at, percent / 100


def read_signatures(path: Path, problems: Problems, *, since: float, until: float) -> list[LogSignature]:
    """Return the log signatures of a list, or of {"patterns": […]}, each with its count and its usual count.

    since, until: the time that the counts are of, seconds UTC.
    """
    found = []
    for place, item in items_of(path, problems, "patterns", "signatures"):
        try:
            count = number(item, "count") or 0.0
            found.append(
                LogSignature(
                    service=text(item, "service") or "",
                    text=name(item, "signature", "pattern", "template", "text"),
                    count=int(count),
                    usual_count=_usual(item, count),
                    first_seen_at=moment(item, "first_seen"),
                    is_bad=_is_bad(item),
                    since=since,
                    until=until,
                )
            )
        except FieldError as error:
            problems.add(path.name, place, f"{error.field} {error.message}")
    return found


def _usual(item: Mapping[str, object], count: float) -> float | None:
    difference = number(item, "delta_vs_baseline", "delta")
    if difference is not None:
        return max(count - difference, 0.0)
    percent = number(item, "delta_vs_baseline_pct", "delta_pct")
    if percent is not None:
        return count / (1 + percent / 100) if percent > -100 else None
    return number(item, "baseline_count", "usual_count")


def _is_bad(item: Mapping[str, object]) -> bool | None:
    sentiment = (text(item, "sentiment") or "").lower()
    return {"negative": True, "neutral": False, "positive": False}.get(sentiment)

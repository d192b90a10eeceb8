"""Read what `kubectl` and the API of Kubernetes write: one object, a List, an array, a watch's stream."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from detection.types import OrchestratorEvent, ServicePlace
from integrations.inbound.kubernetes.objects import TAKEN, read_object
from integrations.inbound.reading.batches import decode_leniently
from integrations.inbound.reading.body import without_nul
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError, Rejection

MOST_OBJECTS = 20_000

_DECODER = json.JSONDecoder()
_SPACES = " \t\r\n,\x1e"


def read_kubernetes(body: bytes, *, now: float) -> Parsed[OrchestratorEvent | ServicePlace]:
    """Read every object of a body. Raises PayloadError for a body that is no JSON object, array or stream of objects.

    A rejection's field is the path within the body, such as "items[3].reason".
    """
    parsed: Parsed[OrchestratorEvent | ServicePlace] = Parsed()
    for index, (path, found) in enumerate(_objects(without_nul(body))):
        if index >= MOST_OBJECTS:
            raise PayloadError(f"holds more than {MOST_OBJECTS:,} objects; send fewer at once")
        try:
            if not isinstance(found, dict):
                raise FieldError("", f"must be an object: send {TAKEN}")
            parsed.records += read_object(found, now=now)
        except FieldError as error:
            parsed.rejections.append(Rejection(index, f"{path}.{error.field}".strip("."), error.message))
    return parsed


def _objects(body: bytes) -> Iterator[tuple[str, Any]]:
    documents = _documents(body)
    for number, document in enumerate(documents):
        path = f"[{number}]" if len(documents) > 1 else ""
        if isinstance(document, list):
            for index, one in enumerate(document):
                yield from _items(f"{path}[{index}]", one)
        else:
            yield from _items(path, document)


def _items(path: str, document: Any) -> Iterator[tuple[str, Any]]:
    """Return the items of a List, each with its kind, or the object itself."""
    kind = document.get("kind") if isinstance(document, dict) else None
    if not isinstance(kind, str) or not kind.endswith("List"):
        yield path, document
        return
    items = document.get("items")
    if not isinstance(items, list):
        raise PayloadError("must be an array", f"{path}.items".strip("."))
    for index, item in enumerate(items):
        # The API leaves the kind of a PodList's items out.
        of_list = {"kind": kind.removesuffix("List")} if isinstance(item, Mapping) and len(kind) > len("List") else {}
        yield f"{path}.items[{index}]".strip("."), {**of_list, **item} if of_list else item


def _documents(body: bytes) -> list[Any]:
    """Return the JSON values of the body, one after another: `kubectl --watch -o json` writes them without a comma."""
    text = body.decode("utf-8", "replace").strip(_SPACES)
    if not text:
        raise PayloadError("it is empty")
    found: list[Any] = []
    at = 0
    while at < len(text):
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            if not found:
                decode_leniently(body)
            raise PayloadError("is not JSON", f"[{len(found)}]" if found else "") from None
        found.append(value)
        while at < len(text) and text[at] in _SPACES:
            at += 1
    return found

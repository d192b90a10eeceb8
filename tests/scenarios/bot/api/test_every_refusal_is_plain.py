"""Every route, asked with everything wrong that its own description lets one think of, refuses in plain words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from fastapi.testclient import TestClient

WRONG: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**30, "", " ", "nonsense", "x" * 5_000, "a\x00b", "2026-13-45T99:00:00Z",
    "2026-02-07T12:00:00", "-1", "[", [], {}, [None], [1, "x"], {"": ""}, {"a": {"b": []}}, [[]] * 30,
)  # fmt: skip

JARGON = (
    "pattern '", "^", "$'", "input should", "string_", "value_error", "value error", "a valid ", "pydantic",
    "unable to", "traceback", "nonetype", "keyerror", "(?", "\\x", "got an", "dictionary", "unicode", "str'",
    "datetime", "instance", "expected ", "object at 0x",
)  # fmt: skip
"""What only a programmer understands: words of pydantic, of Python, and of regular expressions."""


def described(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Follow references; of several kinds take the first that is no null."""
    while True:
        if "$ref" in node:
            node = schema["components"]["schemas"][node["$ref"].rpartition("/")[2]]
        elif kinds := [one for one in node.get("anyOf", node.get("oneOf", [])) if one.get("type") != "null"]:
            node = kinds[0]
        else:
            return node


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/api/") and "PROJECT" not in path and "{project" not in path:
                yield method, path, operation


def bodies(schema: dict[str, Any], operation: dict[str, Any]) -> Iterator[Any]:
    """Yield bodies with one thing wrong: a field, a field of a field, a name, the whole."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return
    node = resolved(schema, content["application/json"].get("schema", {}))
    good = node.get("example") or content["application/json"].get("example") or {}
    yield from WRONG
    yield {**good, "favourite_colour": "blue"} if isinstance(good, dict) else good
    if not isinstance(good, dict):
        return
    fields = sorted(set(node.get("properties", {})) | set(good))
    for name in fields:
        yield {key: value for key, value in good.items() if key != name}
        yield from ({**good, name: wrong} for wrong in WRONG)
        inner = good.get(name)
        first = inner[0] if isinstance(inner, list) and inner else inner
        if isinstance(first, dict):
            for key in first:
                for wrong in WRONG:
                    changed = {**first, key: wrong}
                    yield {**good, name: [changed, *inner[1:]] if isinstance(inner, list) else changed}


def assert_plain(answer: Any, asked: str) -> bool:
    """Return whether it was refused; fail if the refusal is not for people."""
    assert answer.status_code < 500 or answer.status_code == 503, (asked, answer.text[:300])
    if answer.status_code < 400:
        return False
    error = answer.json()["error"]
    texts = [error["message"], *(other["message"] for other in error.get("others", []))]
    for text in texts:
        said = text.lower()
        assert not [word for word in JARGON if word in said], (asked, text)
        assert len(text) < 600, (asked, text[:700])
    return True


def test_no_route_answers_a_wrong_body_with_words_of_its_libraries(
    client: TestClient, operator: dict[str, str]
) -> None:
    schema = described(client)
    refused = 0
    for method, path, operation in operations(schema):
        url = path.replace("{user_id}", "u1").replace("{name}", "oops")
        for name in ("funnel_id", "incident_id", "window_id", "limit_id", "job_id"):
            url = url.replace("{" + name + "}", "1")
        for body in bodies(schema, operation):
            sent = json.dumps(body)
            headers = {**operator, "Content-Type": "application/json"}
            answer = client.request(method.upper(), url, content=sent, headers=headers)
            refused += assert_plain(answer, f"{method} {url} {sent[:200]}")
        for headers in ({"Content-Type": "application/json"}, {"Content-Type": "text/plain"}):
            if "requestBody" in operation:
                for sent in ("{", '{"a": NaN}', "", "\ufeff{}", '{"a":1}x', "[" * 3000):
                    answer = client.request(method.upper(), url, content=sent.encode(), headers={**operator, **headers})
                    refused += assert_plain(answer, f"{method} {url} {headers} {sent[:60]}")
    assert refused > 300


def test_no_route_answers_a_wrong_parameter_with_words_of_its_libraries(
    client: TestClient, operator: dict[str, str]
) -> None:
    schema = described(client)
    wrong = (
        "",
        " ",
        "nonsense",
        "-1",
        "0",
        "1.5",
        "9" * 30,
        "x" * 3_000,
        "a\x00b",
        "2026-13-45",
        "true",
        "null",
        "[",
        "é",
    )
    refused = 0
    for method, path, operation in operations(schema):
        for parameter in operation.get("parameters", []):
            for value in wrong:
                url, query = path, {}
                if parameter["in"] == "path":
                    url = url.replace("{" + parameter["name"] + "}", quote(value, safe="") or "%20")
                elif parameter["in"] == "query":
                    query = {parameter["name"]: value}
                url = url.replace("{user_id}", "u1").replace("{name}", "oops")
                for name in ("funnel_id", "incident_id", "window_id", "limit_id", "job_id"):
                    url = url.replace("{" + name + "}", "1")
                answer = client.request(method.upper(), url, params=query, headers=operator)
                refused += assert_plain(answer, f"{method} {url} {query}")
    assert refused > 100

from __future__ import annotations

import json

import pytest

from integrations.errors import AuthenticationError, NotFoundError, RetryableError
from integrations.llm import LanguageModel
from tests.unit.integrations.loopback import Loopback

MODELS = json.dumps(
    {"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": "x"} for name in ("a", "b")]}
).encode()


def model(loopback: Loopback, name: str | None = "b") -> LanguageModel:
    return LanguageModel(f"{loopback.url}/v1", api_key="llm-secret", model=name)


def test_the_check_finds_our_model_among_those_offered(loopback: Loopback) -> None:
    loopback.answer(200, MODELS)
    assert model(loopback).check() == "2 models offered, b among them"
    assert loopback.received[0].path == "/v1/models"


def test_the_error_for_a_model_that_is_not_offered_names_the_model(loopback: Loopback) -> None:
    loopback.answer(200, MODELS)
    with pytest.raises(NotFoundError, match="no model c"):
        model(loopback, "c").check()


@pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationError), (429, RetryableError), (500, RetryableError)])
def test_a_failure_is_reported_once_and_without_the_key(loopback: Loopback, status: int, kind: type[Exception]) -> None:
    loopback.answer(status, b'{"error": {"message": "llm-secret is not welcome"}}')
    with pytest.raises(kind) as caught:
        model(loopback).check()
    assert "llm-secret" not in str(caught.value)
    assert len(loopback.received) == 1


def test_an_address_where_nothing_listens_is_retryable() -> None:
    with pytest.raises(RetryableError):
        LanguageModel("http://127.0.0.1:9/v1", api_key="llm-secret", model=None, timeout_seconds=1).check()

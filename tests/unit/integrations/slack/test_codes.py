from __future__ import annotations

import pytest

from integrations.slack.codes import MEANINGS, Meaning, meaning_of
from tests.slack_codes import OF_METHOD, ONLY_REFUSED, codes_of


@pytest.mark.parametrize("method", OF_METHOD)
def test_every_documented_code_of_a_method_has_a_meaning_or_is_known_to_have_none(method: str) -> None:
    assert set(codes_of(method)) - MEANINGS.keys() - ONLY_REFUSED == set()


def test_an_unknown_code_is_a_refusal_and_never_a_success() -> None:
    assert meaning_of("a_code_of_tomorrow") is Meaning.REFUSED

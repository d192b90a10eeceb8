from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from workers.settings import Settings

EXAMPLE = Path(__file__).parents[3] / ".env.example"


def test_the_example_lists_every_setting_once_and_nothing_else() -> None:
    named = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", EXAMPLE.read_text(), re.MULTILINE)
    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)


def test_the_values_in_the_example_are_the_defaults() -> None:
    assert Settings(_env_file=EXAMPLE) == Settings(_env_file=None)


def test_every_setting_in_the_example_is_explained_above_it() -> None:
    lines = EXAMPLE.read_text().splitlines()
    for number, line in enumerate(lines):
        if re.match(r"^#?[A-Z][A-Z0-9_]+=", line):
            block = lines[:number]
            while block and re.match(r"^#?[A-Z][A-Z0-9_]+=", block[-1]):
                block.pop()
            assert block[-1].startswith("#"), line


def test_lists_and_pairs_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_REPOSITORIES", "shop=acme/shop, api = acme/api")
    monkeypatch.setenv("APPROVER_IDS", "U1, U2")
    settings = Settings(_env_file=None)
    assert settings.service_repositories == {"shop": "acme/shop", "api": "acme/api"}
    assert settings.approver_ids == ["U1", "U2"]


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("ARGUX_TIMEZONE", "Mars/Olympus", "Europe/Berlin"),
        ("SERVICE_REPOSITORIES", "shop", "service=owner/name"),
        ("MIN_DROP_PERCENT", "120", "less than or equal to 100"),
    ],
)
def test_an_invalid_setting_is_refused_with_the_expected_format(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, hint: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=hint):
        Settings(_env_file=None)

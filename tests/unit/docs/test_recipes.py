"""The recipes of docs/connecting.md: each can be read, holds an address and a key, and is named in the page's table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

PAGE = (Path(__file__).parents[3] / "docs" / "connecting.md").read_text()
AGENTS = PAGE[PAGE.index("# Connecting agents\n") : PAGE.index("# Connecting monitoring systems\n")]
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", AGENTS, re.MULTILINE | re.DOTALL))
WITHOUT_KEY = {"rsyslog", "syslog-ng", "Python's logging"}


@pytest.mark.parametrize("name", SECTIONS)
def test_each_recipe_has_an_address_and_where_there_are_keys_a_key(name: str) -> None:
    [block, *_] = re.findall(r"^```\w*\n(.*?)^```$", SECTIONS[name], re.MULTILINE | re.DOTALL)
    assert "YOUR-ADDRESS" in block
    assert ("argux_…" in block) == (name not in WITHOUT_KEY)


@pytest.mark.parametrize("block", re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
def test_each_block_in_yaml_can_be_read(block: str) -> None:
    assert isinstance(yaml.safe_load(block), dict)


@pytest.mark.parametrize("name", SECTIONS)
def test_each_agent_is_said_to_be_run_or_not(name: str) -> None:
    table = AGENTS[: AGENTS.index("## ")].lower()
    for agent in re.split(r" and |, ", name.lower()):
        assert agent in table


def test_each_link_within_the_page_leads_to_a_heading() -> None:
    headings = {
        re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-")
        for one in re.findall(r"^#+ ([^\n]+)$", PAGE, re.M)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= headings

from __future__ import annotations

from typing import Any

import pytest

from storage.models import Diagnosis
from workers.words.spread import LONGEST_CHAIN, spread


def _with(chain: dict[str, Any] | None) -> Diagnosis:
    return Diagnosis(checkpoints={"confirm": {"chain": chain}})


def _link(source: str, target: str) -> dict[str, str]:
    return {"source": source, "target": target, "why": "calls it"}


def test_the_longest_way_is_told_and_who_was_dragged_along_beside_it() -> None:
    links = [_link("db", "cart"), _link("cart", "checkout"), _link("db", "orders")]
    assert spread(_with({"origin": "db", "links": links})) == "db → cart → checkout (and orders)"


@pytest.mark.parametrize("chain", [None, {"origin": "db", "links": []}, {"origin": None, "links": []}])
def test_a_failure_that_is_not_known_to_have_spread_has_no_line(chain: dict[str, Any] | None) -> None:
    assert spread(_with(chain)) == ""
    assert spread(Diagnosis(checkpoints={})) == ""


def test_a_chain_of_long_names_is_cut() -> None:
    assert len(spread(_with({"origin": "a" * 400, "links": [_link("a" * 400, "b" * 400)]}))) <= LONGEST_CHAIN

"""The chain of random outages: the origin is found, and no link is ever drawn against the failure."""

from __future__ import annotations

from tests.unit.detection.chain.random_outages import outage

_OUTAGES = 300


def test_nine_of_ten_origins_are_found_and_no_link_is_inverted() -> None:
    found, inverted, drawn, true = 0, 0, 0, 0
    for seed in range(_OUTAGES):
        case = outage(seed)
        chain = case.told()
        mine = {(link.source, link.target) for link in chain.links}
        found += chain.origin == case.origin
        inverted += len({(target, source) for source, target in mine} & case.spread)
        drawn += len(mine & case.spread)
        true += len(case.spread)
    assert inverted == 0
    assert found >= 0.9 * _OUTAGES
    assert drawn >= 0.7 * true


def test_a_wrong_origin_is_seldom_sure() -> None:
    sure = [chain for seed in range(_OUTAGES) if (chain := outage(seed).told()).confidence >= 0.8]
    wrong = [seed for seed in range(_OUTAGES) if (case := outage(seed)).told().origin not in (case.origin, None)]
    surely_wrong = [seed for seed in wrong if outage(seed).told().confidence >= 0.8]
    assert len(surely_wrong) <= 0.05 * max(len(sure), 1)

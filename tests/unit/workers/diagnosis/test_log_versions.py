from __future__ import annotations

import pytest

from detection.types import Deploy, LogRecord
from workers.diagnosis import weights
from workers.diagnosis.checks.log_versions import count_matches, judge

DEPLOY = Deploy(1, "shop", "v42", "2" * 40, "1" * 40, "acme/shop", 1000.0)
NAME = "“Charge for … failed: …”"
ONSET = 1000.0


def lines(body: str, version: str | None, count: int, at: float = 1100.0) -> list[LogRecord]:
    return [LogRecord(f"{version}{n}", "shop", version, at + n, "ERROR", body.format(n)) for n in range(count)]


BAD, GOOD = "Charge for order {} failed:  declined", "order {} was paid"


@pytest.mark.parametrize(
    ("records", "weight", "words"),
    [
        ([*lines(BAD, "v42", 5), *lines(GOOD, "v41", 12)], weights.ONLY_THIS_VERSION_BAD_IN_THE_SAME_MINUTES, "alone"),
        ([*lines(BAD, "2222222", 5), *lines(GOOD, "v41", 12, at=500.0)], weights.ONLY_THIS_VERSION_BAD, "before"),
        ([*lines(BAD, "v42", 5), *lines(BAD, "v41", 5)], weights.OTHER_VERSIONS_AS_BAD, "by others too (5)"),
        ([*lines(GOOD, "v42", 5), *lines(BAD, "v41", 5)], weights.VERSION_FINE, "by other versions only (5 lines)"),
        (lines(BAD, "v42", 5), 0.0, "no lines of other versions"),
    ],
)
def test_the_versions_that_write_a_template_set_the_weight_of_the_deploy(
    records: list[LogRecord], weight: float, words: str
) -> None:
    found = count_matches(records, NAME, DEPLOY, onset=ONSET)
    result, given = judge(found, DEPLOY, NAME)
    assert given == weight
    assert words in result


def test_records_without_a_version_are_not_counted() -> None:
    found = count_matches(lines(BAD, None, 5), NAME, DEPLOY, onset=ONSET)
    assert (found.mine, found.others) == (0, 0)


def test_the_fixed_parts_of_a_template_must_occur_in_order() -> None:
    found = count_matches(lines("failed: the Charge for {}", "v42", 5), NAME, DEPLOY, onset=ONSET)
    assert found.mine == 0

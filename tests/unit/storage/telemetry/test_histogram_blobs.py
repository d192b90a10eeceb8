"""Histograms stored as blobs."""

from __future__ import annotations

import numpy as np

from storage.telemetry.rows.histogram_blobs import Counts, dense, pack, quantile_columns


def test_a_quantile_is_in_the_first_column_at_which_its_share_is_reached() -> None:
    generator = np.random.default_rng(1)
    table = generator.integers(0, 4, (50, 12)) * 10 ** generator.integers(0, 9, (50, 1))
    table[[0, 17, 49]] = 0
    rows, columns = np.nonzero(table)
    blobs = pack([Counts(rows, columns, table[rows, columns])], len(table))
    assert np.array_equal(dense(blobs, 12), table)
    for share in (0.05, 0.5, 0.95):
        running = table.cumsum(axis=1)
        reached = running * 100 >= round(share * 100) * running[:, -1:]
        assert quantile_columns(blobs, share).tolist() == reached.argmax(axis=1).tolist()


def test_no_histograms_have_no_quantiles_and_an_empty_one_has_zero() -> None:
    assert quantile_columns([], 0.95).tolist() == []
    assert quantile_columns([b""], 0.95).tolist() == [0]

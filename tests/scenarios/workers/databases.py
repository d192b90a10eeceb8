"""The databases that a scenario runs on: SQLite, and where its story could differ on PostgreSQL, both.

The suites of tests/contract and tests/unit/storage run each query on both. A scenario of words, pages of a dialog or a
detector's figures proves nothing more on the second one, and a tick is dear.
"""

from __future__ import annotations

import pytest

ON_BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
"""For what commits, locks and counts, and for one whole story of each kind of signal."""

"""Roll up a database in a separate process, and print by how many bytes that process grew."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from detection.funnels.attempts import attempts
from detection.types import FunnelDefinition, FunnelStep
from storage.database.session import create_database
from storage.telemetry.protocol import RolledUp
from storage.telemetry.sql import SqlTelemetry

STEPS = ("page_viewed", "added_to_cart", "checkout_completed", "payment_completed")


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main(database_url: str) -> int:
    engine = create_database(database_url)
    telemetry = SqlTelemetry(engine, funnel_reader=attempts, segment_dimensions=["country", "device"], clock=time.time)
    funnel = FunnelDefinition(1, "Purchase", tuple(FunnelStep(name, name) for name in STEPS), 1800.0, 7)
    before = _resident()
    while telemetry.roll_up([funnel], now=time.time()) != RolledUp(0, 0):
        pass
    print(max(_resident() - before, 0))
    engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

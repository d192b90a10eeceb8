"""Every kind of fault in variants by seed, each a folder of an exported incident."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.evals.cases import Case, read_case
from tests.evals.scenarios import (
    kinds_of_code,
    kinds_of_settings,
    kinds_that_creep,
    kinds_without_change,
)
from tests.evals.scenarios.export import export
from tests.evals.scenarios.fault import Fault, Setting
from tests.evals.scenarios.scene import scene
from tests.evals.scenarios.system import shop

KINDS: Mapping[str, Callable[[Setting], Fault]] = {
    "n_plus_one": kinds_of_code.n_plus_one,
    "bad_release": kinds_of_code.bad_release,
    "payment_country": kinds_of_code.payment_country,
    "slow_downstream": kinds_of_code.slow_downstream,
    "cache_removed": kinds_of_code.cache_removed,
    "schema_migration": kinds_of_code.schema_migration,
    "timeout_lowered": kinds_of_settings.timeout_lowered,
    "pool_lowered": kinds_of_settings.pool_lowered,
    "ttl_lowered": kinds_of_settings.ttl_lowered,
    "retry_storm": kinds_of_settings.retry_storm,
    "queue_backlog": kinds_of_settings.queue_backlog,
    "memory_leak": kinds_that_creep.memory_leak,
    "disk_full": kinds_that_creep.disk_full,
    "node_pressure": kinds_that_creep.node_pressure,
    "innocent_after": kinds_that_creep.innocent_after,
    "third_party": kinds_without_change.third_party,
    "traffic_surge": kinds_without_change.traffic_surge,
    "certificate": kinds_without_change.certificate,
    "dns_failure": kinds_without_change.dns_failure,
    "poison_message": kinds_without_change.poison_message,
    "flag_turned_on": kinds_without_change.flag_turned_on,
    "no_fault": kinds_without_change.no_fault,
}
"""Each draws one fault of its kind."""
SEEDS = 12


def scenarios(folder: Path, seeds: int, kinds: tuple[str, ...] = tuple(KINDS)) -> Iterator[Case]:
    """Write `seeds` variants of each kind below `folder` and yield them."""
    for kind in kinds:
        for seed in range(seeds):
            yield scenario(folder, kind, seed)


def scenario(folder: Path, kind: str, seed: int) -> Case:
    """Write one variant. The same kind and seed give the same files."""
    rng = random.Random(f"{kind}/{seed}")
    place = shop(rng)
    fault = KINDS[kind](Setting(place, rng, rng.uniform(55, 78), 110))
    target = folder / f"{kind}-{seed:02d}"
    export(scene(place, fault, rng), target)
    return read_case(target, "scenarios", group=f"scenarios/{kind}")

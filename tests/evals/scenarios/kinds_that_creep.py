"""Faults whose change went live long before anybody felt it: memory, a disk, a node; and a deploy that came later."""

from __future__ import annotations

from dataclasses import replace

from tests.evals.scenarios.fault import Fault, Lines, Setting
from tests.evals.scenarios.kinds_of_code import n_plus_one, slow_downstream
from tests.evals.scenarios.kinds_of_settings import ttl_lowered
from tests.evals.scenarios.series import Effect
from tests.evals.scenarios.system import upstream


def memory_leak(s: Setting) -> Fault:
    """Memory grows from the release on; an hour or more later the process is killed again and again."""
    origin = s.rng.choice(("recommendation", "search", "cart", "account"))
    felt = s.onset + s.rng.uniform(55, 85)
    name = s.shop.names[origin]
    return Fault(
        kind="memory_leak",
        cause="capacity",
        origin=origin,
        onset=s.onset,
        effects=(
            Effect(origin, "memory", s.onset, s.rng.uniform(3.5, 5), "ramp", felt - s.onset),
            Effect(origin, "latency", felt - 12, s.rng.uniform(4, 9), "ramp", 14),
            Effect(origin, "restarts", felt, s.rng.randint(3, 6), "ramp", 12, absolute=True),
            Effect(origin, "errors", felt, s.rng.uniform(0.1, 0.35), "ramp", 6, absolute=True),
        ),
        lines=(
            Lines(origin, "WARN", lambda r: f"gc pause {r.randint(250, 1800)}ms", felt - 15, 2),
            Lines(origin, "ERROR", lambda r: "process killed: out of memory, restarting", felt, 0.5),
        ),
        victims=upstream(origin),
        alert_role=s.rng.choice((origin, "frontend")),
        alert_measure=s.rng.choice(("errors", "latency")),
        remediation="rollback",
        mechanism="memory_leak",
        culprit_role=origin,
        delay=s.rng.uniform(0.5, 3),
        slow=s.rng.uniform(2, 4),
        failing=s.rng.uniform(0.08, 0.2),
        events=(
            {
                "at": felt,
                "type": "Warning",
                "object": f"pod/{name}-6f7c",
                "reason": "OOMKilling",
                "message": f"Memory cgroup out of memory: killed process in {name}",
            },
            {
                "at": felt + 3,
                "type": "Warning",
                "object": f"pod/{name}-6f7c",
                "reason": "BackOff",
                "message": "Back-off restarting failed container",
            },
        ),
        minutes=int(felt) + 22,
    )


def disk_full(s: Setting) -> Fault:
    """A chatty log fills the disk over an hour; then every write fails."""
    origin = s.rng.choice(("orders", "account", "payment"))
    full = s.onset + s.rng.uniform(45, 75)
    return Fault(
        kind="disk_full",
        cause="capacity",
        origin=origin,
        onset=s.onset,
        effects=(
            Effect(origin, "disk", s.onset, 1.0, "ramp", full - s.onset, absolute=True),
            Effect(origin, "errors", full, s.rng.uniform(0.4, 0.9), absolute=True),
        ),
        lines=(
            Lines(origin, "DEBUG", lambda r: f"request body {r.randint(200, 9000)} bytes: {{...}}", s.onset, 2),
            Lines(origin, "ERROR", lambda r: "write /var/log/app/app.log: no space left on device", full, 4),
        ),
        victims=upstream(origin),
        alert_role=s.rng.choice((origin, "checkout" if origin != "account" else "frontend")),
        alert_measure="errors",
        remediation="restore_configuration",
        mechanism="disk_full",
        culprit_role=origin,
        delay=s.rng.uniform(0.5, 2),
        failing=s.rng.uniform(0.3, 0.6),
        minutes=int(full) + 20,
    )


def node_pressure(s: Setting) -> Fault:
    """A batch job takes the memory of its node; services that share nothing but this node suffer alike."""
    neighbours = tuple(s.rng.sample(("account", "cart", "search", "recommendation", "payment"), 3))
    node = s.shop.nodes["batch"]
    names = s.shop.names
    return Fault(
        kind="node_pressure",
        cause="node",
        origin="node",
        onset=s.onset,
        effects=(
            Effect("node", "node_memory", s.onset, s.rng.uniform(0.02, 0.06), "ramp", 4),
            Effect("batch", "memory", s.onset, s.rng.uniform(12, 20), "ramp", 5),
            *(
                Effect(role, "latency", s.onset + 3 + n * 0.7, s.rng.uniform(5, 12), "ramp", 3)
                for n, role in enumerate(neighbours)
            ),
            *(
                Effect(role, "errors", s.onset + 4 + n * 0.7, s.rng.uniform(0.1, 0.4), "ramp", 3, absolute=True)
                for n, role in enumerate(neighbours)
            ),
        ),
        lines=(
            Lines("batch", "INFO", lambda r: f"sorted rows in memory, rss_mb={r.randint(3000, 11000)}", s.onset, 1),
            *(
                Lines(
                    role, "ERROR", lambda r: "process exited unexpectedly (signal: killed); restarting", s.onset + 4, 1
                )
                for role in neighbours
            ),
        ),
        victims=tuple(("node", role) for role in neighbours),
        alert_role=neighbours[0],
        alert_measure="errors",
        remediation="move_off_node",
        mechanism="node_pressure",
        culprit_role="batch",
        delay=s.rng.uniform(1, 6),
        aliases=("batch",),
        events=(
            {
                "at": s.onset + 2.5,
                "type": "Warning",
                "object": f"node/{node}",
                "node": node,
                "reason": "NodeHasInsufficientMemory",
                "message": f"Node {node} status is now: MemoryPressure",
            },
            *(
                {
                    "at": s.onset + 4 + n,
                    "type": "Warning",
                    "object": f"pod/{names[role]}-77b",
                    "node": node,
                    "reason": "Evicted",
                    "message": "The node was low on resource: memory.",
                }
                for n, role in enumerate(neighbours)
            ),
        ),
    )


def innocent_after(s: Setting) -> Fault:
    """The true change went live a while before; the latest deploy of the loud service came after the onset."""
    fault = s.rng.choice((n_plus_one, slow_downstream, ttl_lowered))(s)
    return replace(fault, kind="innocent_after")

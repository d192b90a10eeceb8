"""Faults that no change of the team's made, and the night in which nothing is wrong."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import partial

from tests.evals.scenarios.fault import Fault, Lines, Setting
from tests.evals.scenarios.series import Effect
from tests.evals.scenarios.system import SERVICES, upstream


def third_party(s: Setting) -> Fault:
    """The payment provider answers 503 or not at all. Its status page says so in half of the variants."""
    host, path, failing = s.shop.provider_host, s.shop.provider_path, s.rng.uniform(0.3, 0.8)
    has_feed = s.rng.random() < 0.5
    return Fault(
        kind="third_party",
        cause="third_party",
        origin="payment",
        onset=s.onset,
        effects=(
            Effect("payment", "provider", s.onset, failing * 100, "ramp", 3, absolute=True),
            Effect("payment", "errors", s.onset, failing * 0.95, "ramp", 3, absolute=True),
            Effect("payment", "latency", s.onset, s.rng.uniform(4, 12), "ramp", 3),
        ),
        lines=(
            Lines(
                "payment",
                "ERROR",
                lambda r: f"POST https://{host}{path} returned {r.choice((502, 503, 503, 504))}",
                s.onset,
                5,
            ),
            Lines("payment", "WARN", lambda r: f"call to {host} exceeded {r.choice((5000, 10000))}ms", s.onset, 2),
        ),
        victims=upstream("payment"),
        alert_role=s.rng.choice(("payment", "checkout")),
        alert_measure="errors",
        remediation="failover",
        slow=s.rng.uniform(2, 5),
        failing=failing * 0.7,
        aliases=("provider",),
        status={"since": s.onset - s.rng.uniform(-2, 3), "failing": failing} if has_feed else None,
    )


def traffic_surge(s: Setting) -> Fault:
    """A sale, a television spot, a crawler: everything is called more, and the edge is full first."""
    times, slow = s.rng.uniform(3, 7), s.rng.uniform(4, 9)
    every = [role for role in SERVICES if role != "account"]
    return Fault(
        kind="traffic_surge",
        cause="surge",
        origin="frontend",
        onset=s.onset,
        effects=(
            *(Effect(role, "traffic", s.onset, times * s.rng.uniform(0.85, 1.1), "ramp", 5) for role in every),
            *(Effect(role, "cpu", s.onset, s.rng.uniform(0.75, 0.95), "ramp", 5, absolute=True) for role in every[1:]),
            Effect("frontend", "cpu", s.onset, 0.99, "ramp", 4, absolute=True),
            Effect("frontend", "latency", s.onset + 2, slow, "ramp", 4),
            Effect("frontend", "errors", s.onset + 4, s.rng.uniform(0.04, 0.2), "ramp", 4, absolute=True),
            *(
                Effect(role, "latency", s.onset + 4, s.rng.uniform(1.6, 3), "ramp", 5)
                for role in ("checkout", "cart", "catalog")
            ),
        ),
        lines=(
            Lines(
                "frontend",
                "WARN",
                lambda r: f"request queued for {r.randint(300, 3000)}ms before a worker was free",
                s.onset + 2,
                3,
            ),
            Lines(
                "frontend", "WARN", lambda r: f"shedding load: {r.randint(200, 600)} requests in flight", s.onset + 4, 1
            ),
        ),
        victims=tuple(("frontend", role) for role in ("checkout", "cart", "catalog")),
        alert_role="frontend",
        alert_measure="latency",
        remediation="scale",
    )


def certificate(s: Setting) -> Fault:
    """A certificate runs out to the second; callers cannot shake hands, the service itself is well."""
    callee, caller = s.rng.choice((("payment", "checkout"), ("orders", "checkout"), ("catalog", "frontend")))
    name, failing = s.shop.names[callee], s.rng.uniform(0.7, 0.97)
    texts = (
        f"Post https://{name}.shop.svc:8443: tls: x509: certificate has expired or is not yet valid",
        f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired (_ssl.c:1006) calling {name}",
        f"Error: certificate has expired, code: 'CERT_HAS_EXPIRED', host: {name}.shop.svc",
        f"javax.net.ssl.SSLHandshakeException: CertificateExpiredException: NotAfter is over ({name})",
    )
    text = dict(zip(("go", "python", "typescript", "java"), texts, strict=True))[s.shop.languages[caller]]
    onset = float(int(s.onset))
    return Fault(
        kind="certificate",
        cause="certificate",
        origin=caller,
        onset=onset,
        effects=(
            Effect(callee, "cert", onset, 0.0, "countdown"),
            Effect(caller, "tls", onset, s.rng.uniform(80, 400), absolute=True),
            Effect(caller, "errors", onset, failing, absolute=True),
            Effect(callee, "traffic", onset, 1 - failing, "ramp", 1),
        ),
        lines=(Lines(caller, "ERROR", lambda r: text, onset, 5),),
        victims=upstream(caller),
        alert_role=caller,
        alert_measure="errors",
        remediation="rotate-cert",
        failing=failing * 0.8,
        aliases=(callee,),
    )


def dns_failure(s: Setting) -> Fault:
    """Names no longer resolve: everyone who opens a connection fails, whoever it is to."""
    failing = s.rng.uniform(0.2, 0.6)
    victims = ("checkout", "cart", "search", "recommendation")
    names = s.shop.names
    texts = {
        "go": "dial tcp: lookup {} on 10.96.0.10:53: server misbehaving",
        "python": "socket.gaierror: [Errno -3] Temporary failure in name resolution ({})",
        "typescript": "Error: getaddrinfo EAI_AGAIN {}",
        "java": "java.net.UnknownHostException: {}: Temporary failure in name resolution",
    }
    return Fault(
        kind="dns_failure",
        cause="dns",
        origin="dns",
        onset=s.onset,
        effects=(
            Effect("dns", "dns_errors", s.onset, s.rng.uniform(30, 120), absolute=True),
            *(
                Effect(role, "errors", s.onset + 0.5 + n * 0.4, failing * s.rng.uniform(0.8, 1.2), absolute=True)
                for n, role in enumerate(victims)
            ),
        ),
        lines=tuple(
            Lines(
                role,
                "ERROR",
                partial(_not_found, texts[s.shop.languages[role]], names),
                s.onset,
                2,
            )
            for role in victims
        ),
        victims=tuple(("dns", role) for role in victims),
        alert_role=victims[0],
        alert_measure="errors",
        remediation="restart",
        events=(
            {
                "at": s.onset,
                "type": "Warning",
                "object": f"pod/{names['dns']}-5d78",
                "reason": "Unhealthy",
                "message": "Readiness probe failed: Get http://10.0.3.7:8181/ready: connection refused",
            },
        ),
        failing=0.0,
    )


def poison_message(s: Setting) -> Fault:
    """One message that cannot be read comes back again and again and holds up what is behind it."""
    poisoned = s.rng.randint(100000, 999999)
    tenant = f"partner-{s.rng.randint(2, 60)}"
    return Fault(
        kind="poison_message",
        cause="bad_data",
        origin="worker",
        onset=s.onset,
        effects=(
            Effect("queue", "lag", s.onset, s.rng.uniform(20, 60), "line", 25),
            Effect("queue", "redelivered", s.onset, s.rng.uniform(20, 80), absolute=True),
            Effect("worker", "errors", s.onset, s.rng.uniform(0.2, 0.6), absolute=True),
        ),
        lines=(
            Lines(
                "worker",
                "ERROR",
                lambda r: (
                    f"cannot parse message {poisoned} of {tenant}: unexpected end of JSON input; "
                    f"requeued (delivery {r.randint(2, 400)})"
                ),
                s.onset,
                4,
            ),
        ),
        victims=(("worker", "queue"),),
        alert_role="queue",
        alert_measure="lag",
        remediation="purge_bad_data",
        aliases=("queue",),
    )


def flag_turned_on(s: Setting) -> Fault:
    """A flag opens a slow path whose code has long been live: no commit of these days is at fault."""
    origin = s.rng.choice(("search", "recommendation", "checkout"))
    flag = s.rng.choice(("semantic_ranking", "bundle_offers", "address_suggestions", "personal_prices"))
    slow = s.rng.uniform(5, 12)
    return Fault(
        kind="flag_turned_on",
        cause="flag",
        origin=origin,
        onset=s.onset,
        effects=(
            Effect(origin, "latency", s.onset, slow, "ramp", 2),
            Effect(origin, "cpu", s.onset, s.rng.uniform(0.8, 0.95), "ramp", 3, absolute=True),
            Effect(origin, "errors", s.onset + 1, s.rng.uniform(0.06, 0.2), "ramp", 2, absolute=True),
        ),
        lines=(
            Lines(origin, "WARN", lambda r: f"{flag}: gave up after {r.randint(1500, 6000)}ms", s.onset, 4),
            Lines(origin, "INFO", lambda r: f"{flag}: variant on for request {r.randint(1000, 99999)}", s.onset, 2),
        ),
        victims=upstream(origin),
        alert_role=s.rng.choice((origin, "frontend")),
        alert_measure="latency",
        remediation="turn_flag_off",
        delay=s.rng.uniform(0.3, 1.5),
        slow=slow * 0.7,
        failing=s.rng.uniform(0.06, 0.15),
        flag=flag,
    )


def no_fault(s: Setting) -> Fault:
    """Nothing is wrong: samples of a noisy metric were above a tight limit. There are deploys all the same."""
    role = s.rng.choice(("checkout", "search", "frontend", "recommendation"))
    return Fault(
        kind="no_fault",
        cause="none",
        origin=role,
        onset=s.onset,
        effects=(),
        lines=(),
        victims=(),
        alert_role=role,
        alert_measure=s.rng.choice(("latency", "errors", "cpu")),
        remediation="none",
    )


def _not_found(text: str, names: Mapping[str, str], rng: random.Random) -> str:
    return text.format(f"{names[rng.choice(('catalog', 'orders', 'account'))]}.shop.svc.cluster.local")

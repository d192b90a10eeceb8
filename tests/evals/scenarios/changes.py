"""The commits, deploys and flags of a scene: the culprit, if there is one, among innocent ones that look tempting."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from tests.evals.scenarios.diff import Template, Written
from tests.evals.scenarios.diffs_files import FILES
from tests.evals.scenarios.diffs_go import GO
from tests.evals.scenarios.diffs_java import JAVA
from tests.evals.scenarios.diffs_python import PYTHON
from tests.evals.scenarios.diffs_typescript import TYPESCRIPT
from tests.evals.scenarios.harmless import BACKGROUND, TEMPTING
from tests.evals.scenarios.scene import Scene
from tests.evals.scenarios.system import SERVICES

GUILTY: tuple[Template, ...] = (*GO, *PYTHON, *TYPESCRIPT, *JAVA, *FILES)
_AUTHORS = ("jo.berg", "m.okafor", "lena.f", "tanaka", "a.haddad", "sofia", "deploy-bot", "wei.zhang")
_FLAGS = ("new_gallery", "express_banner", "cart_persist_v2", "search_typo_hints", "async_receipts", "loyalty_teaser")
_TURNS = ("off->on", "on->off")
_CREEPING = 25
"""Minutes from onset to alert from which on a release just before the alert tempts more than one at the onset."""
_OFTEN_THERE = 0.65
"""How often each innocent release is there: now and then the latest deploy is the culprit."""


@dataclass(frozen=True, slots=True)
class Changes:
    """culprit: its sha or "none". decoys: innocent commits that went live around the onset."""

    commits: list[dict[str, Any]]
    deploys: list[dict[str, Any]]
    flags: list[dict[str, Any]]
    culprit: str
    decoys: list[str]


@dataclass(frozen=True, slots=True)
class _Release:
    role: str
    live: float
    written: Written
    is_decoy: bool


def changes(scene: Scene) -> Changes:
    """Return what changed before and during the scene."""
    rng = random.Random(scene.rng.randrange(2**32))
    fault, releases = scene.fault, _innocent(scene, rng)
    guilty = None
    if fault.mechanism is not None:
        guilty = _Release(fault.culprit_role, fault.onset - fault.delay, _guilty(scene, rng), is_decoy=False)
    short = rng.random() < 0.25
    shas: dict[int, str] = {}
    commits = [_background(scene, rng, short) for _ in range(rng.randint(7, 14))]
    deploys = []
    for release in [*releases, *([guilty] if guilty else [])]:
        sha = _sha(rng, short)
        shas[id(release)] = sha
        name = scene.name(release.role)
        commits.append(_commit(scene, rng, sha, release.live - rng.uniform(3, 35), name, release.written))
        deploys.append(
            {
                "timestamp": scene.at(release.live),
                "service": name,
                "commit_sha": sha,
                "version": f"{name}-{rng.randint(100, 999)}",
            }
        )
    return Changes(
        sorted(commits, key=lambda commit: str(commit["timestamp"])),
        sorted(deploys, key=lambda deploy: str(deploy["timestamp"])),
        _flags(scene, rng),
        shas[id(guilty)] if guilty else "none",
        [shas[id(release)] for release in releases if release.is_decoy],
    )


def _innocent(scene: Scene, rng: random.Random) -> list[_Release]:
    """Return innocent releases: at the onset and before the alert on the loud service, elsewhere, and earlier."""
    fault = scene.fault
    loud = fault.alert_role if fault.alert_role in SERVICES else "worker"
    last = max(fault.onset + 1.0, scene.alert_minute - 0.5)
    plan = [
        (loud, fault.onset + rng.uniform(-2.5, 1.5), True),
        (rng.choice(SERVICES), rng.uniform(fault.onset, last), True),
        (fault.culprit_role or rng.choice(SERVICES), fault.onset - rng.uniform(18, 45), False),
        (rng.choice(SERVICES), fault.onset - rng.uniform(5, 40), False),
    ]
    if fault.kind == "innocent_after":
        plan.append((loud, rng.uniform(fault.onset + 0.5, last), True))
    if scene.alert_minute - fault.onset > _CREEPING:
        plan.append((loud, scene.alert_minute - rng.uniform(2, 9), True))
    plan = [one for one in plan if rng.random() < _OFTEN_THERE]
    left = list(TEMPTING)
    releases = []
    for role, live, is_decoy in plan:
        spoken = scene.shop.languages[role]
        template = rng.choice([one for one in left if one.language in (spoken, "yaml", "sql")] or left)
        left.remove(template)
        releases.append(_Release(role, live, _filled(scene, template, role, rng), is_decoy))
    return releases


def _guilty(scene: Scene, rng: random.Random) -> Written:
    fault = scene.fault
    fitting = [template for template in GUILTY if template.mechanism == fault.mechanism]
    spoken = scene.shop.languages[fault.culprit_role]
    own = [template for template in fitting if template.language == spoken]
    others = [template for template in fitting if template.language in ("yaml", "sql", "ruby")]
    return _filled(scene, rng.choice([*own, *others] or fitting), fault.culprit_role, rng)


def _filled(scene: Scene, template: Template, role: str, rng: random.Random) -> Written:
    name = scene.name(role)
    words = {
        "thing": "price",
        "Thing": "Price",
        "callee": "inventory",
        "old": "2000",
        "new": "100",
        "store": "db",
        "n": str(rng.randint(100, 600)),
        "country": "DE",
        "many": "8",
        **scene.fault.words,
    }
    callee = words["callee"]
    words |= {"svc": name, "svc_id": _identifier(name), "callee_id": _identifier(callee)}
    words |= {"CALLEE": callee.upper().replace("-", "_")}
    return template.filled(words, rng.randint(8, 240))


def _identifier(name: str) -> str:
    first, *rest = name.split("-")
    return first + "".join(word.title() for word in rest)


def _background(scene: Scene, rng: random.Random, short: bool) -> dict[str, Any]:
    message, path = rng.choice(BACKGROUND)
    name = scene.name(rng.choice(SERVICES))
    written = Written(path.replace("@svc@", name), message, "")
    return _commit(scene, rng, _sha(rng, short), rng.uniform(-30, scene.alert_minute), name, written)


def _commit(
    scene: Scene, rng: random.Random, sha: str, minute: float, service: str, written: Written
) -> dict[str, Any]:
    commit: dict[str, Any] = {
        "sha": sha,
        "author": rng.choice(_AUTHORS),
        "timestamp": scene.at(minute),
        "message": written.message,
        "files_changed": [written.path],
        "diff": written.diff or None,
    }
    if scene.shop.style == 1:
        commit["service"] = service
    return commit


def _flags(scene: Scene, rng: random.Random) -> list[dict[str, Any]]:
    fault = scene.fault
    found = [
        (rng.uniform(-20, fault.onset + 3), flag, rng.choice(("frontend", "cart", "search")), rng.choice(_TURNS))
        for flag in rng.sample(_FLAGS, rng.randint(1, 3))
    ]
    if fault.flag is not None:
        found.append((fault.onset - fault.delay, fault.flag, fault.origin, "off->on"))
    return [
        {
            "timestamp": scene.at(minute),
            "flag": flag,
            "service": scene.name(role),
            "change": turn,
            "actor": rng.choice(_AUTHORS),
        }
        for minute, flag, role, turn in sorted(found)
    ]


def _sha(rng: random.Random, short: bool) -> str:
    sha = f"{rng.randrange(2**160):040x}"
    return sha[:8] if short else sha

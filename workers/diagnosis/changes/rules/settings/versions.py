"""Versions that a diff changes: libraries in the manifests of package managers, and images of containers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from workers.diagnosis.changes.effects import Effect, EffectKind
from workers.diagnosis.changes.rules.consequences import effect
from workers.diagnosis.changes.text.patches import Block, changed_lines

_MANIFESTS = re.compile(
    r"(?:^|/)(?:go\.mod|package\.json|requirements[\w.-]*\.(?:txt|in)|pyproject\.toml|"
    r"setup\.(?:py|cfg)|Pipfile|pom\.xml|build\.gradle(?:\.kts)?|"
    r"libs\.versions\.toml|Gemfile|Cargo\.toml|composer\.json|[\w.]+\.csproj|"
    r"Directory\.Packages\.props|mix\.exs|Chart\.yaml|versions\.tf)$"
)
_LOCKS = re.compile(
    r"(?:^|/)(?:go\.sum|package-lock\.json|yarn\.lock|pnpm-lock\.yaml|poetry\.lock|uv\.lock|"
    r"Pipfile\.lock|Gemfile\.lock|Cargo\.lock|composer\.lock|packages\.lock\.json)$"
)
_VERSION = re.compile(r"v?(\d+)\.(\d+|x)(?:\.(\d+|x))?(?:[-+.][\w.-]+)?")
_NAME = re.compile(r"[\"']?([@A-Za-z][\w.@/:-]*)")
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)?(\S+)", re.IGNORECASE)
_IMAGE = re.compile(r"^\s*-?\s*(?:image|repository|baseImage)\s*[:=]\s*[\"']?([^\s\"']+)")
_TAG = re.compile(r"^\s*(?:tag|imageTag|newTag|image_tag)\s*[:=]\s*[\"']?([^\s\"']+)")


def is_lock_file(path: str) -> bool:
    """Whether a file only pins what a manifest beside it names."""
    return bool(_LOCKS.search(path))


def version_effects(block: Block) -> list[Effect]:
    """Return the libraries and images that the block changes, adds or takes away."""
    if is_lock_file(block.path):
        return []
    if _MANIFESTS.search(block.path):
        return list(_libraries(block))
    return list(_images(block))


def is_about_versions(path: str) -> bool:
    """Whether a file names the versions of libraries."""
    return bool(_MANIFESTS.search(path) or _LOCKS.search(path))


def _libraries(block: Block) -> Iterator[Effect]:
    removed, added = changed_lines(block)
    old, new = _versions(removed), _versions(added)
    for name, (version, line) in new.items():
        if name in old:
            yield effect(
                EffectKind.DEPENDENCY,
                block.path,
                line,
                _strength(old[name][0], version),
                name=name,
                before=old[name][0],
                after=version,
                direction=_direction(old[name][0], version),
            )
        else:
            yield effect(EffectKind.DEPENDENCY, block.path, line, 0.2, name=name, after=version)
    for name, (version, line) in old.items():
        if name not in new:
            yield effect(EffectKind.DEPENDENCY, block.path, line, 0.3, name=name, before=version)


def _versions(lines: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return the version of each library by its name without a major version in the path ("/v2")."""
    found: dict[str, tuple[str, str]] = {}
    for line in lines:
        version = _VERSION.search(re.sub(r"/v\d+", "", line))
        name = re.search(r"(?:Include|name)=\"([\w.]+)\"", line) or _NAME.search(
            line.strip().removeprefix("require").removeprefix("gem ").strip()
        )
        if version and name:
            found[re.sub(r"/v\d+$", "", name[1].rstrip(":"))] = (version.group(), line)
    return found


def _parts(version: str) -> tuple[int, ...]:
    match = _VERSION.search(version)
    return tuple(int(part) if part and part.isdigit() else 0 for part in match.groups()) if match else (0, 0, 0)


def _direction(old: str, new: str) -> int:
    before, after = _parts(old), _parts(new)
    return (after > before) - (after < before)


def _strength(old: str, new: str) -> float:
    """Return how far a bump is known to break: a patch hardly ever, a major version often, a step back more."""
    before, after = _parts(old), _parts(new)
    backwards = 0.1 if after < before else 0.0
    if before[0] != after[0]:
        return 0.45 + backwards
    if before[1] != after[1]:
        return (0.25 if before[0] == 0 else 0.15) + backwards
    return 0.08 + backwards


def _images(block: Block) -> Iterator[Effect]:
    removed, added = changed_lines(block)
    for pattern in (_FROM, _IMAGE, _TAG):
        old = [(match[1], line) for line in removed if (match := pattern.match(line))]
        new = [(match[1], line) for line in added if (match := pattern.match(line))]
        for (before, _), (after, line) in zip(old, new, strict=False):
            yield effect(
                EffectKind.IMAGE,
                block.path,
                line,
                _image_strength(before, after),
                name=PurePosixPath(after).name.partition(":")[0],
                before=before,
                after=after,
            )


def _image_strength(before: str, after: str) -> float:
    name, _, tag = before.rpartition(":") if ":" in before.rpartition("/")[2] else (before, "", "")
    other, _, new_tag = after.rpartition(":") if ":" in after.rpartition("/")[2] else (after, "", "")
    if name and other and name != other:
        return 0.45
    if _VERSION.search(tag) and _VERSION.search(new_tag):
        changed_base = ("alpine" in tag) != ("alpine" in new_tag)
        step = _strength(tag, new_tag)
        if "." in tag and _parts(tag)[:1] == _parts(new_tag)[:1] and re.search(r"python|ruby|php|golang|go$", name):
            step = max(step, 0.3 if _parts(tag)[1] != _parts(new_tag)[1] else step)
        return max(step, 0.45 if changed_base else 0.0)
    numbers = re.match(r"\d+", tag), re.match(r"\d+", new_tag)
    if all(numbers):
        return 0.45 if numbers[0] and numbers[1] and numbers[0].group() != numbers[1].group() else 0.2
    return 0.45 if ("alpine" in tag) != ("alpine" in new_tag) else 0.15

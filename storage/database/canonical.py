"""Canonical JSON: equal values have equal texts, and so equal hashes."""

from __future__ import annotations

import hashlib
import json


def canonical_json(value: object) -> bytes:
    """Encode as UTF-8 JSON with sorted keys and no spaces. Raises ValueError for NaN and infinity, which JSON lacks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def fingerprint(value: object) -> str:
    """Return the SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()

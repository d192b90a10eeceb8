"""The time zone of this machine, which is that of the person who starts Argux on their own one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

LOCAL_TIME = Path("/etc/localtime")


def machine_zone(environment: Mapping[str, str] = os.environ, local_time: Path = LOCAL_TIME) -> str:
    """Return the IANA name of this machine's time zone: TZ, else what /etc/localtime points to, else UTC."""
    _, _, linked = str(local_time.resolve()).rpartition("/zoneinfo/")
    for name in (environment.get("TZ", "").removeprefix(":"), linked):
        if name and _is_known(name):
            return "UTC" if is_utc(name) else name
    return "UTC"


def is_utc(name: str) -> bool:
    """Return whether a zone is UTC under any of its names."""
    return name.rpartition("/")[2].upper() in {"UTC", "UCT", "ZULU", "UNIVERSAL", "GMT", "GMT0", "GREENWICH"}


def _is_known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True

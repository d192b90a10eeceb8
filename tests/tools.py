"""Programs that tests run beside the locked packages: finds them, and installs Debian's where that is possible.

Without one of them its tests skip and say why; under CI=true that skip is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

PACKAGES: Mapping[str, tuple[str, ...]] = {
    "chromium": BROWSERS,
    "prometheus-alertmanager": ("prometheus-alertmanager", "alertmanager"),
    "logrotate": ("logrotate", "/usr/sbin/logrotate"),
    "bsdutils": ("logger",),
}
"""Debian's package, and the programs of which one is enough."""

INSTALLS_WITHIN_SECONDS = 600


def find(*names: str) -> str | None:
    """Return the path of the first of these programs that is on this machine."""
    return next((path for name in names if (path := shutil.which(name))), None)


def find_browser() -> str | None:
    """Return the path of a Chromium on this machine; ARGUX_TEST_BROWSER names another."""
    return os.environ.get("ARGUX_TEST_BROWSER") or find(*BROWSERS)


def missing_packages() -> list[str]:
    """Return the packages none of whose programs is on this machine."""
    return [
        package
        for package, programs in PACKAGES.items()
        if not (find_browser() if programs is BROWSERS else find(*programs))
    ]


def install(packages: list[str]) -> None:
    """Install packages when this is a Debian and we are root; a failure is not fatal here."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *packages]):
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(
                command, check=False, env=environment, timeout=INSTALLS_WITHIN_SECONDS, stdout=subprocess.DEVNULL
            )


def main() -> int:
    """Install what is missing, and name what is missing still."""
    if wanted := missing_packages():
        print(f"Installing for the tests: {', '.join(wanted)} ...", flush=True)
        install(wanted)
    if absent := missing_packages():
        print(f"Not on this machine, so their tests are skipped: {', '.join(absent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

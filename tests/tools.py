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
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

PACKAGES: Mapping[str, tuple[str, ...]] = {
    "chromium": BROWSERS,
    "prometheus-alertmanager": ("prometheus-alertmanager", "alertmanager"),
    "logrotate": ("logrotate", "/usr/sbin/logrotate"),
    "bsdutils": ("logger",),
}
"""Debian's package, and the programs of which one is enough."""

UNPACKED: Mapping[str, str] = {"rsyslogd": "rsyslog", "syslog-ng": "syslog-ng-core"}
"""Programs, and Debian's packages of them, that are unpacked into the virtual environment and not installed.

Installed they would be the machine's own syslog; and each of them refuses to stand beside the other.
"""

UNPACKED_INTO = Path(sys.prefix) / "unpacked"

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


def find_unpacked(program: str) -> Path | None:
    """Return the path of a program of UNPACKED; None where it could not be had."""
    return next((UNPACKED_INTO / UNPACKED[program]).glob(f"usr/sbin/{program}"), None)


def not_unpacked() -> list[str]:
    """Return the packages of UNPACKED that are not there."""
    return [package for program, package in UNPACKED.items() if find_unpacked(program) is None]


def unpack(package: str) -> None:
    """Unpack a package of Debian with what it needs and this machine lacks; a failure is not fatal here."""
    directory = UNPACKED_INTO / package
    archives = directory / "archives"
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    command = ["apt-get", "install", "-y", "-qq", "--download-only", "--no-install-recommends"]
    with suppress(OSError, subprocess.TimeoutExpired):
        _quietly([*command, "-o", f"Dir::Cache::archives={archives}", package])
        for archive in archives.glob("*.deb"):
            _quietly(["dpkg-deb", "-x", str(archive), str(directory)])
    shutil.rmtree(archives, ignore_errors=True)


def _quietly(command: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, check=False, env=environment, timeout=INSTALLS_WITHIN_SECONDS, stdout=subprocess.DEVNULL)


def install(packages: list[str]) -> None:
    """Install packages; a failure is not fatal here."""
    with suppress(subprocess.TimeoutExpired):
        _quietly(["apt-get", "install", "-y", "-qq", *packages])


def fetch(packages: list[str], to_unpack: list[str]) -> None:
    """Fetch what is missing when this is a Debian and we are root."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    print(f"Installing for the tests: {', '.join([*packages, *to_unpack])} ...", flush=True)
    with suppress(subprocess.TimeoutExpired):
        _quietly(["apt-get", "update", "-qq"])
    if packages:
        install(packages)
    for package in to_unpack:
        unpack(package)


def main() -> int:
    """Install what is missing, and name what is missing still."""
    if (wanted := missing_packages()) + (to_unpack := not_unpacked()):
        fetch(wanted, to_unpack)
    if absent := missing_packages() + not_unpacked():
        print(f"Not on this machine, so their tests are skipped: {', '.join(absent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

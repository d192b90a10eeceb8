"""Makes sure that a Chromium is there for the browser tests, installing Debian's where that is possible.

Says what it found. Without one those tests skip and say why; under CI=true that skip is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """The path of a Chromium on this machine; ARGUX_TEST_BROWSER names another."""
    chosen = os.environ.get("ARGUX_TEST_BROWSER")
    return chosen or next((path for name in NAMES if (path := shutil.which(name))), None)


def install_browser() -> None:
    """Install Debian's chromium when this is a Debian and we may; failing is not fatal here."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(command, check=False, env=environment, timeout=600, stdout=subprocess.DEVNULL)


def main() -> int:
    if find_browser() is None:
        print("No browser for the browser tests; trying to install Chromium ...", flush=True)
        install_browser()
    found = find_browser()
    print(f"Browser for the tests: {found or 'none; its tests will be skipped'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Command: `python -m integrations.local --port N --directory DIR --config FILE.json`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pydantic import ValidationError

from integrations.local.app import create_app
from integrations.local.config import load
from integrations.local.server import WorkspaceServer


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit code: 2 if the configuration is invalid."""
    parser = argparse.ArgumentParser(prog="python -m integrations.local", description="Serve the local workspace.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True, help="where messages and repositories are kept")
    parser.add_argument("--config", type=Path, required=True, help="the workspace's JSON configuration")
    options = parser.parse_args(arguments)
    try:
        config = load(options.config)
    except (OSError, ValidationError) as error:
        print(f"The configuration {options.config} cannot be used: {error}", file=sys.stderr)
        return 2
    WorkspaceServer(create_app(config, options.directory), port=options.port).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())

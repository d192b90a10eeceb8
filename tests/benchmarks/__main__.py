"""`make bench`: every figure as one JSON line, each against a peer or a bound measured in the same run.

`make bench ONLY=slash_ack_p99_ms,idle_memory_mb` prints a part.
"""

from __future__ import annotations

import sys

from tests.benchmarks import idle_memory, slash_ack

BENCHMARKS = {slash_ack.NAME: slash_ack.run, idle_memory.NAME: idle_memory.run}


def main(arguments: list[str]) -> int:
    names = arguments[0].split(",") if arguments else list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"No benchmark is called {', '.join(unknown)}. There are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    figures = [BENCHMARKS[name]() for name in names]
    return 0 if all(figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

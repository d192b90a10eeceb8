"""Draw a Vega-Lite specification as a PNG: `python -m integrations.chart_renderer SCALE < spec.json > chart.png`.

This runs in a separate process, because the renderer loads a JavaScript engine of 150 MB, which a worker would keep in
memory after its first chart.
"""

from __future__ import annotations

import json
import sys

import vl_convert


def main() -> None:
    """Read the specification from stdin and write the PNG to stdout. Fetching URLs is forbidden: all data is inline."""
    spec = json.load(sys.stdin)
    png: bytes = vl_convert.vegalite_to_png(spec, scale=float(sys.argv[1]), allowed_base_urls=[])
    sys.stdout.buffer.write(png)


if __name__ == "__main__":
    main()

"""Draws a Vega-Lite specification as a PNG: `python -m integrations.chart_renderer SCALE < spec.json > chart.png`.

A process of its own, because the renderer brings a JavaScript engine of 150 MB that a worker would keep for ever after
its first chart.
"""

from __future__ import annotations

import json
import sys

import vl_convert


def main() -> None:
    """Read the specification, write the picture. It may fetch nothing: all its data is inline."""
    spec = json.load(sys.stdin)
    png: bytes = vl_convert.vegalite_to_png(spec, scale=float(sys.argv[1]), allowed_base_urls=[])
    sys.stdout.buffer.write(png)


if __name__ == "__main__":
    main()

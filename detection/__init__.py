"""The pure mathematics of detection (is it broken, since when, and where): no I/O, no clock, no database."""

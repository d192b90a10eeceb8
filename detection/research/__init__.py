"""Detectors that only the benchmarks run so far (docs/benchmarks.md)."""

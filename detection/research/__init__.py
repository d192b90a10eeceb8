"""Detectors that so far only the benchmarks run (docs/benchmarks.md)."""

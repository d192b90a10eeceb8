"""Helpers for every format: bodies, compression, batches, times and signatures."""

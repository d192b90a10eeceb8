"""Deploys reported by a pipeline or by GitHub."""

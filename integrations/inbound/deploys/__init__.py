"""Deploys told by a pipeline or by GitHub."""

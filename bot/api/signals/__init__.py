"""The routes of what Argux watches: funnels and their experiments, metrics, logs."""

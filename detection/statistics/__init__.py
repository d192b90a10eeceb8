"""Statistical tests, baselines and forecasts shared by all detectors."""

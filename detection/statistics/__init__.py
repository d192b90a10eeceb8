"""The tests, baselines and forecasts that every kind of signal shares."""

"""`argux backtest`: what the detectors would have found in a history of your own."""

"""`argux backtest`: run the production detectors over a history given as CSV."""

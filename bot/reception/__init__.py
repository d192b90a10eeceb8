"""What every door passes through: limits, patience, error answers and counters."""

"""What all doors share: size and time limits, timeouts, error responses and counters."""

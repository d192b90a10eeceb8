"""What a log record says, whatever door it came in by: its severity, its words, and which lines are one record."""

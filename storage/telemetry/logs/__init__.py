"""Log lines, rolled up by template and by named pattern."""

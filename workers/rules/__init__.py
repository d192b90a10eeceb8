"""What people have set: patterns, limits, maintenance windows, and times in the reader's zone."""

"""Rules that people set: log patterns, metric limits, maintenance windows; and parsing the times they write."""

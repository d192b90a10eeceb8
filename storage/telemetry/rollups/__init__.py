"""Time buckets, and how far each roll-up has come."""

"""Time buckets, and the marks that record how far each roll-up has read."""

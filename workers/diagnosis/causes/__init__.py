"""What can be the cause of an incident: changes, kinds that are no change, and the mechanisms by which they do harm."""

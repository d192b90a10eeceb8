"""What was going on around an incident: read once from the stores, as plain data that the causes are checked on."""

"""What each kind of change can cause: one module for each family of rules."""

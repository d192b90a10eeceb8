"""Read one time as a file writes it, whatever its notation, and tell which order its dates have."""

"""Times in the forms in which they are written."""

"""The read-only checks of step 3: each answers one question with evidence."""

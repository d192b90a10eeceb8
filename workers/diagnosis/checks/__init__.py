"""The read-only checks of step 3: each asks one question and answers with evidence."""

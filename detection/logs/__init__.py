"""Which log lines are new, more frequent than usual, or match a named pattern?"""

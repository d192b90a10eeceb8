"""The kinds of cause that are no change, a module each: what suggests it, and what speaks for and against it."""

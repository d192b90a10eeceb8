"""The kinds of cause, a module each: what suggests it, and the checks that speak for and against it."""

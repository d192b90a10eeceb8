"""Pure mathematics of "is it broken, since when, and where": no I/O, no clock, no database."""

"""The kinds of signal that Argux watches, one module each: findings, chart points, recovery tests and states."""

"""The scenarios of the demo: what is pushed, what breaks, and what Argux must say of it."""

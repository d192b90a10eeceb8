"""The Typer command groups of `argux`. They import an implementation only when its command runs."""

"""What Argux watches, a module a kind of signal: its findings, its line on a chart, and whether it got better."""

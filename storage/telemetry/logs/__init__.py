"""Roll up log lines by template, by named pattern and by severity."""

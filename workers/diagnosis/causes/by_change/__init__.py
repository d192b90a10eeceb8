"""Changes as causes: what the text of each can do, where, and the course of the metrics since it went live."""

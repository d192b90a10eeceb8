"""One adapter for each outside system, behind small protocols. No adapter knows Argux's own tables."""

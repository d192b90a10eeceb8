"""One adapter per outside system, behind small protocols; knows nothing of Argux's own tables."""

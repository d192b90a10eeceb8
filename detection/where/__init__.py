"""Find the combination of dimension values in which conversion was lost."""

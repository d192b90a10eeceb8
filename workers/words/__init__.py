"""Findings in words: titles, sentences, numbers with units."""

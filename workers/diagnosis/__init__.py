"""The five-step diagnosis: characterise, hypothesise, gather, confirm, fix. It needs no language model."""

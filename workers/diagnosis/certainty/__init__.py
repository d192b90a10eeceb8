"""How sure a diagnosis may be called, and how it turned out."""

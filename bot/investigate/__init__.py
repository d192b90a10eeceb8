"""`argux investigate`: an exported incident takes the same path as production, in a store that is thrown away."""

"""The page that `argux investigate --html` writes."""

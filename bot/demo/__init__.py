"""The demo: a shop, its shoppers, a bad deploy, and Argux on call for it."""

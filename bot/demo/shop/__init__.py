"""A small shop: sign up, fill a cart, check out, pay."""

"""Changes of what is set: numbers, switches, addresses, and the versions of libraries and images."""

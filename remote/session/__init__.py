"""A client's session with one host."""

"""A run among those that it came from and that came from it."""

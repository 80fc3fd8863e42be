"""One optimizer step, and everything that it changes."""

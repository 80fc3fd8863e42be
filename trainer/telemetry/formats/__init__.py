"""What other people's training logs look like: one file a format, listed in `registry.py`."""

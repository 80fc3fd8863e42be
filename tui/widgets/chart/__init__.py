"""The chart widget and what it is drawn from."""

"""Where training computes."""

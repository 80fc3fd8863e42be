"""The rows and columns of the Fleet table."""

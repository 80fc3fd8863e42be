"""The story of a run, from its first token to its last checkpoint."""

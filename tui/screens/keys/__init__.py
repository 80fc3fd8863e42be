"""What the keys of each screen do."""

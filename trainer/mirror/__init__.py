"""Checkpoints copied away as they appear, to a folder, a host or a store; and fetched back. No torch here."""

"""Checkpoints as files. No torch here."""

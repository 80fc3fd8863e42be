"""Runs as they were: when they were heard last, or at any time that is replayed."""

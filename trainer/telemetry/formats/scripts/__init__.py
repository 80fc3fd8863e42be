"""Formats of well-known training scripts."""

"""Followed files over links that come and go."""

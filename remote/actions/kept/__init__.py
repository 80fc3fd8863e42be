"""Runs as things one keeps: words about them, away and back, a new one like another, to another host."""

"""Formats of the published K-SSM trainers."""

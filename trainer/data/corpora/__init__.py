"""Corpora with a name: gathered from files, folders and Project Gutenberg, and kept with their provenance."""

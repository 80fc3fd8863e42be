"""Runs beside one another: which, under which letter, and in what their configurations differ."""

"""Formats that belong to no program: bars, tables, JSON, key=value."""

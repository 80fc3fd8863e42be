"""Formats of training frameworks and trainers."""

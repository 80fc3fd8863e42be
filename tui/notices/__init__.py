"""Alerts sent outward: who hears of what and when, each once, without a screen."""

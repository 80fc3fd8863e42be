"""Putting our own code on a host: probe, wheel, environment, self-test."""

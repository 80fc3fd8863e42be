"""Measurements, not tests: each script prints its figures as JSON; `python -m benchmarks` runs them all."""

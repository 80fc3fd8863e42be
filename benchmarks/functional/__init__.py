"""The search for a model in which R matters: `python -m benchmarks.functional plan|run|table`."""

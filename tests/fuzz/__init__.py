"""Fuzz targets with seed corpora: `make fuzz`, a minute of each under `make chaos`, a sample in the suite."""

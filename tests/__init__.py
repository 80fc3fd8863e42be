"""The same tree again, plus end-to-end trials over real processes."""

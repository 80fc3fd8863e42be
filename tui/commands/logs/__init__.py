"""`read` and `formats`: logs that nobody started here."""

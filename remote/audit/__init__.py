"""Who did what, on both ends: append-only, private, one JSON object a line."""

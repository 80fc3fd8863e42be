"""Trees of files that come to this host: code, and texts."""

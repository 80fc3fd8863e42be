"""Trees of files from here to a host: what git tracks, and texts."""

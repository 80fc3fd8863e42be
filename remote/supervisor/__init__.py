"""The parent of one trainer process: it holds the locks, obeys requests and writes the state."""

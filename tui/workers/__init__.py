"""The cockpit's background work, each piece on a thread of its own."""

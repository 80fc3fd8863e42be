"""What lives on the host, what was left behind, and who holds which lock."""

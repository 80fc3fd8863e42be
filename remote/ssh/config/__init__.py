"""What the user's own OpenSSH configuration says of a host."""

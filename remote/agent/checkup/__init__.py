"""What `doctor` looks at on a host, a module each. Every check only reads."""

"""What this machine remembers for its operator: choices, places, runs of hosts that are away."""

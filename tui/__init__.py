"""What the operator sees: screens, widgets, keys, and the commands for scripts."""

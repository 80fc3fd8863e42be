"""The cockpit in a browser of this machine."""

"""Files of a host that somebody else's runs write: found by pattern, followed, and never touched."""

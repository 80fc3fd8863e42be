"""Who we are to a host: keys, the ssh-agent, and the first minute of a connection."""

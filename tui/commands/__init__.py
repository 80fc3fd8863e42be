"""Every key as a command, for scripts: stdout is data, stderr is talk, exit codes are documented."""

"""What can be wrong with a configuration."""


class ConfigError(ValueError):
    """A configuration that cannot be used. Its message names the key and the remedy; the exit code is 2."""

"""What can be wrong with a configuration."""

from trainer.user_error import UserError


class ConfigError(UserError, ValueError):
    """A configuration that cannot be used. Its message names the key and the remedy."""

    exit_code = 2

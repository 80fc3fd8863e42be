"""What can be wrong with a configuration."""

from trainer.user_error import UserError


class ConfigError(UserError, ValueError):
    """A configuration that cannot be used. Its message names the key and the remedy."""

    exit_code = 2


class UntrustedError(ConfigError):
    """A file that another user could have planted or changed: it is not read."""

    exit_code = 3

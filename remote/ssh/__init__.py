"""SSH: what the user's configuration says, which keys are trusted, and the one module that knows Paramiko."""

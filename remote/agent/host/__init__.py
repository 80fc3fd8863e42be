"""The verbs about the host itself."""

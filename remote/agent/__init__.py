"""The agent: short-lived, holds no truth. It serves verbs and raw bytes on stdin and stdout."""

"""Where text comes from: files, the interpreter's documentation, generators."""

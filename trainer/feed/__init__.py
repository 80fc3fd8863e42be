"""Continuous training: files dropped into an inbox become shards, trained in order, each once."""

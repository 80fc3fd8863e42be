"""Tokens on disk: built once, named by what went in, pruned."""

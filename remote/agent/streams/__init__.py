"""Bytes of followed files, from a cursor on."""

"""The schema of everything configurable: defaults, presets, overrides and the origin of every value."""

"""The trainer's process as its supervisor sees it: launched, watched, ended."""

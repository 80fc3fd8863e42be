"""What a run has saved, on its host and on this machine."""

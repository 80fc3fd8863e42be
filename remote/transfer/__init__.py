"""Moving checkpoints between a host and this machine: resumable, verified, skipping what is identical."""

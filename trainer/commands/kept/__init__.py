"""Commands on what a run keeps: its checkpoints, and the shards that it is fed."""

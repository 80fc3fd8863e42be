"""What is asked of one run: its view, a stop, its checkpoints."""

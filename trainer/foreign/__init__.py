"""Models that other programs saved with torch.save, taken over as checkpoints of ours."""

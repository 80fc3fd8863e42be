"""What a host's hardware says of itself: processor, memory, NVIDIA, Apple."""

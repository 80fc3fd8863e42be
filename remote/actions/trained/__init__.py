"""What a run of a host trained and keeps, and what is brought to one that is fed."""

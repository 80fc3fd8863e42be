"""What a run says: events, their writer and readers, foreign logs, and the health bands that judge them."""

"""When an auxiliary loss may weigh anything, and what is done where the model suffers from it."""

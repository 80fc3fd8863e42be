"""What a link needs of a way to an agent, and the way to this very machine."""

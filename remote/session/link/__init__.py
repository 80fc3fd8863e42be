"""How a link is made, kept, lost and found again."""

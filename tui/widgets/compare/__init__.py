"""What the Compare screen is made of."""

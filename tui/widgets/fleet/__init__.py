"""The table of the Fleet: its columns, its rows, and the lines around it."""

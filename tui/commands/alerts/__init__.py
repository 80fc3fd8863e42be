"""`photinus alerts ...`: what is sent outward, and by whom."""

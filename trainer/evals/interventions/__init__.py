"""Changes made to the oscillators of a model in evaluation, and what they cost."""

"""Looks into a model in training, and what theory predicts of them."""

"""How a model does a task, beside chance, what counting achieves, and controls that take its means away."""

"""TensorBoard's event files, and what they are written in."""

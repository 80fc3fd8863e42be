"""Tasks whose answers are computed: sequences that carry a mask of scored positions."""

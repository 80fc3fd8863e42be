"""What the Fleet shows of the store, in which order, and which runs its keys act on."""

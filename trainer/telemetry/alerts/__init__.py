"""Rules that tell when a run or its host needs a person: pure, on rows and readings, once an occasion."""

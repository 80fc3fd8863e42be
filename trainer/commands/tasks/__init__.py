"""How an evaluation of a task is shown."""

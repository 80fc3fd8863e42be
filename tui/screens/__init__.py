"""What the operator sees: Fleet, Run, and the dialogs."""

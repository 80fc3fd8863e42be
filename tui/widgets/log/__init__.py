"""What a log is shown with."""

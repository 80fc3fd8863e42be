"""`photinus hosts ...`."""

"""What `photinus-train` says of trained models. No command imports torch before it has its arguments."""

"""What trains: headless, on the host, without the cockpit. See ARCHITECTURE.md for the rooms."""

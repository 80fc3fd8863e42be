"""What the cockpit knows, without a screen: hosts, runs, series, logs, lamps and alerts."""

"""What a run is on disk: layout, identity, locks, states, requests, checkpoint manifests. No torch."""

"""The hosts that this client knows: hosts.yaml, addresses, and where our code lies on each."""

"""What a run looks at every so many steps: its oscillators by layer, and what pulls at their weights."""

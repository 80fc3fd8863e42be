"""What a run measures: which metrics, their values over its steps, its pace, and its charts."""

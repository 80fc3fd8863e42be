"""Short, scaled-down reruns of the published K-SSM claims: published, predicted, ours."""

"""Numbers about images: encoders, neighbours, maps, clusters, labels. Of ours, imports `core` and `errors` only."""

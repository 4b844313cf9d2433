"""Numbers about images: encoders, neighbours, maps, clusters, labels. Imports nothing of ours but `core` and `errors`."""

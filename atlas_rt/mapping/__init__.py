"""Vectors become places: neighbours, layout, fit, projector, clusters, near-duplicates, quality."""

"""The camera: frame -> vector -> position."""

"""A live, explorable 3D map of a folder of images."""

__version__ = "0.1.0"

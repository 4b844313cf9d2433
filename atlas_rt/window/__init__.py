"""The window's process: its frame loop, what a person can do in it, the opened library, the picture."""

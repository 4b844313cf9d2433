"""The threads of the window's process."""

"""The threads of the window's process, on one base."""

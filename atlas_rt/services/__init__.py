"""The threads of the window's process: each owns what it reads and tells the frame through one channel."""

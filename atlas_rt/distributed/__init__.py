"""Embedding that needs no window, no engine and no library: one worker, in several hosts."""

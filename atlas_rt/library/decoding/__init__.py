"""A file's bytes become a picture; `decode` is the door."""

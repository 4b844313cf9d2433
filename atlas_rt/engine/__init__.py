"""The background process that indexes and fits: scan -> decode -> encode -> store -> place or fit -> publish."""

"""Tables of images in files: shards, and what other programs write. The only place that imports pyarrow."""

"""Pictures and phrases become vectors: which encoders there are, how they run, how one is exported."""

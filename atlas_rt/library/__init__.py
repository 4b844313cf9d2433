"""Files and memory on disk: sources, pictures, tiles, vectors, maps, the store. Imports only `core` and `errors`."""

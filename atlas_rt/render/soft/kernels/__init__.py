"""What numba compiles of the rasterizer: each kernel works on plain arrays and releases the interpreter lock."""

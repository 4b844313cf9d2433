"""A live, explorable 3D map of a folder of images."""

import os

__version__ = "0.1.0"

# Before numpy is imported, in this process and in those it starts. Our products of matrices are small or bound by
# memory, so more threads gain nothing; but OpenBLAS's threads wait for the next product by spinning, which took a third
# of both cores from decoding (118 instead of 162 small pictures a second).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# ONNX Runtime 1.32 reports to Microsoft unless it is told not to before it is imported: it writes the id of this device
# into the user's cache folder and opens sockets.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

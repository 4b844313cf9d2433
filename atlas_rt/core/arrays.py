"""The types of the arrays that cross modules. Shapes stand where they are used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Ids = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Rows = NDArray[np.intp]
Tiers = NDArray[np.int8]

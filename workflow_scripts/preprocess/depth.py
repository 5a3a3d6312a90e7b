"""The preprocessing step for images whose files have more bits than their data, such as 12-bit data in 16-bit files."""

import numpy as np

from workflow_scripts.io.pixels import FILE_BITS

AS_TAKEN = True


def apply(image: np.ndarray, bits: int) -> np.ndarray:
    """Scale an image so that the highest value of `bits` bits, 2 ** bits - 1, becomes 1; return the scaled image.

    The image is (H, W) or (H, W, 3) in [0, 1], from a file of 16-bit values. All images are scaled by the same factor,
    so their brightness can still be compared. Raises `ValueError` if a value has more bits.
    """
    most, whole = 2**bits - 1, 2**FILE_BITS - 1
    highest = round(float(image.max()) * whole)
    if highest > most:
        raise ValueError(f"bits: found a value of {highest} of {whole}, allowed: at most {most} with bits: {bits}")
    return image * (whole / most)

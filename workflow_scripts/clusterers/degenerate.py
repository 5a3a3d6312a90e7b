"""Find points that cannot be clustered: some are NaN or infinite, or there are fewer different points than clusters."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np

from workflow_scripts.errors import UserError


def check_points(points: np.ndarray, settings: Mapping[str, Any], name: str, studies: str) -> None:
    """Raise `UserError` if `points` (N, d) cannot be clustered with the settings of the clusterer called `name`.

    All points must be finite. k must be at most the number of different points; a method that finds k itself needs two
    different points. `studies` are the names of the studies that use the clusterer, for the message.
    """
    if not np.isfinite(points).all():
        image = int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])
        raise UserError(f"features: image number {image} has numbers that are infinite or NaN; make the features again")
    different = len({sha256(row.tobytes()).digest() for row in points + 0.0})  # -0 becomes 0, which has other bytes
    largest = max(settings.get("k", [2]))
    if largest <= different:
        return
    if different == 1:
        raise UserError(f"config: clusterers.{name}: all images have the same features (studies: {studies})")
    allowed = "at most the number of images" + ("" if different == len(points) else " with different features")
    raise UserError(
        f"config: clusterers.{name}.k: found {largest}, allowed: {allowed}, {different} (studies: {studies})"
    )

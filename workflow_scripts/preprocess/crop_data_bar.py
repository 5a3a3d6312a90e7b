"""The image without the microscope's data."""

import numpy as np

from workflow_scripts.intake.scale_bars.stripe import grey_levels, image_rows

MARGIN = 1
"""Rows that go with a stripe: resizing mixes the two at its edge."""


def apply(image: np.ndarray) -> np.ndarray:
    """Return the rows between the data stripes at the lower and upper edge (`scale_bars.stripe.find_stripes`).

    An image without a stripe stays as it is. The step belongs before any other: where an image is resized or its
    contrast changed, its stripe is no longer of one colour.
    """
    rows = image_rows(grey_levels(image))
    top = rows.start + MARGIN if rows.start else 0
    bottom = rows.stop - MARGIN if rows.stop < len(image) else len(image)
    return image[top:bottom]

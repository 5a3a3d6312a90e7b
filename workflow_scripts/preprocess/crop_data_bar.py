"""The picture without the microscope's data."""

import numpy as np

from workflow_scripts.intake.scale_bars.stripe import grey_levels, picture_rows

MARGIN = 0.01
"""What goes with a stripe, of the height: JPEG compression mixes the rows at its edge."""


def apply(image: np.ndarray) -> np.ndarray:
    """The rows between the data stripes at the lower and upper edge (`scale_bars.stripe.find_stripes`).

    A picture without a stripe stays as it is. The step belongs before any other: where a picture is resized or its
    contrast changed, its stripe is no longer of one colour.
    """
    height = len(image)
    rows = picture_rows(grey_levels(image))
    margin = round(MARGIN * height)
    top = rows.start + margin if rows.start else 0
    bottom = rows.stop - margin if rows.stop < height else height
    return image[top:bottom]

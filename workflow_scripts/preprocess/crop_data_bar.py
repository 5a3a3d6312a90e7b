"""The preprocessing step that cuts off the stripe with the microscope's data."""

import numpy as np

from workflow_scripts.intake.scale_bars.stripe import GreyLevels, image_rows

AS_TAKEN = True
MARGIN = 1
"""The number of rows beside a stripe that are also cut off, because resizing mixes stripe and image there."""


def apply(image: np.ndarray) -> np.ndarray:
    """Return an image (H, W) or (H, W, 3) without the data stripes at its upper and lower edge (`stripe.find_stripes`).

    An image without a stripe is returned unchanged. Only the step `depth` may come before this one: after resizing, or
    after another change of contrast, a stripe no longer has one colour.
    """
    rows = image_rows(GreyLevels(image))
    top = rows.start + MARGIN if rows.start else 0
    bottom = rows.stop - MARGIN if rows.stop < len(image) else len(image)
    return image[top:bottom]

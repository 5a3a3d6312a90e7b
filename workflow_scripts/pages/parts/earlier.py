"""Select the decisions that earlier runs have read; pages export them again, so that no export loses them.

Both functions take what people decided by hand: a table with the columns `intake.manifest.BY_HAND_COLUMNS`, all texts.
"""

from typing import Any

import pandas as pd


def labels_before(by_hand: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the decisions on labels as records, including those that took a label back."""
    return by_hand[by_hand["set_aside"] == ""].to_dict("records")


def set_aside_before(by_hand: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the decisions to set an image aside or to bring it back, as records."""
    return by_hand[by_hand["set_aside"] != ""].to_dict("records")

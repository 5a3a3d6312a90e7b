"""The decisions that earlier runs have read, which the pages export again.

Both functions take what people decided, with `intake.manifest.BY_HAND_COLUMNS` as texts.
"""

from typing import Any

import pandas as pd


def labels_before(by_hand: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the decisions on labels, also those that took a label back."""
    return by_hand[by_hand["set_aside"] == ""].to_dict("records")


def set_aside_before(by_hand: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the decisions on images that were set aside or brought back."""
    return by_hand[by_hand["set_aside"] != ""].to_dict("records")

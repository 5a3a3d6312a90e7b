"""The decisions that earlier runs have read, which the pages export again."""

from typing import Any

import pandas as pd

from workflow_scripts.io.rejections import Reason


def earlier(by_hand: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the labels that people gave (`intake.manifest.BY_HAND_COLUMNS`, texts) as decisions of a page."""
    return by_hand.assign(decision="before").to_dict("records")


def decided_before(by_hand: pd.DataFrame, set_aside: pd.DataFrame) -> dict[str, Any]:
    """Return what the explorer exports again: `earlier`, and `left_out`, the paths of the images that people set aside.

    `set_aside` is the table of `inspection.Inspection`.
    """
    left_out = set_aside.loc[set_aside["reason"] == str(Reason.PICKED), "path"].tolist()
    return {"earlier": earlier(by_hand), "left_out": left_out}

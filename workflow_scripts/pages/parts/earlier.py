"""The decisions that earlier runs have read, which the pages export again."""

from typing import Any

import pandas as pd

from workflow_scripts.io.images import Reason


def earlier(by_hand: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the labels that people gave (`intake.manifest.BY_HAND_COLUMNS`, texts) as decisions of a page."""
    return by_hand.assign(decision="before").to_dict("records")


def set_aside_by_hand(set_aside: pd.DataFrame) -> list[str]:
    """Return the paths of the images that people set aside, of `inspection.Inspection.set_aside`."""
    return set_aside.loc[set_aside["reason"] == str(Reason.PICKED), "path"].tolist()

"""The consensus of a study as results hold it: a store of clusters like any other, and a table for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.consensus.consensus import NO_GROUP, consensus, what_flips
from workflow_scripts.consensus.trust import cell_weights, trust
from workflow_scripts.io.runs import Runs, write_runs
from workflow_scripts.io.store import manifest_digest
from workflow_scripts.metrics.agreement import score_restarts


@dataclass(frozen=True)
class StudyConsensus:
    """The consensus of a study's cells.

    `table` has a row per image: `image_id, path, label` (of the manifest), `group` (from 0, the largest first),
    `agreement` (share of the votes, 0 to 1), `second` (the group that it goes with next, null if none),
    `second_agreement`, `margin` (the difference of the two: low for a fragile image), `choice` and `level` (the choice
    that moves it most, and where to; null if none), `explained` (share of the variance of the votes by that choice) and
    `flips` (whether it is in the second group there). `k` is the number of groups, `chosen_k` how it was chosen
    (`given`, `of the cells`, `lifetime`), `weights` (C,) those of the cells, `ari` the agreement with the labels (NaN
    without).
    """

    table: pd.DataFrame
    k: int
    chosen_k: str
    weights: np.ndarray
    ari: float


def consensus_of(
    partitions: np.ndarray, choices: pd.DataFrame, manifest: pd.DataFrame, groups: int | None = None
) -> StudyConsensus:
    """Find the consensus of the cells, each weighted by its vote and its agreement with the others.

    Parameters
    ----------
    partitions : (C, N) integers, negative for noise.
    choices : C rows, a column for each axis in which the cells differ.
    manifest : N rows with `image_id, path, label` (None where there is none).
    groups : number of groups; None as in `consensus.consensus`.
    """
    alone = len(partitions) < 2
    # Ranks and chance, which take samples, are the trust figure's.
    weights = np.ones(1) if alone else cell_weights(trust(partitions, choices, n_samples=1))
    found = consensus(partitions, groups, weights)
    flips = what_flips(found, partitions, choices, weights)
    table = (
        manifest[["image_id", "path", "label"]]
        .reset_index(drop=True)
        .assign(
            group=found.group,
            agreement=found.agreement,
            second=pd.array(np.where(found.second == NO_GROUP, pd.NA, found.second), dtype="Int64"),
            second_agreement=found.second_agreement,
            margin=found.margin,
            choice=flips["choice"],
            level=flips["level"].map(lambda level: None if level is None else str(level)),
            explained=flips["explained"],
            flips=flips["flips"],
        )
    )
    ari = float(score_restarts(found.group[None], table["label"])["ari"].iloc[0])
    return StudyConsensus(table, found.k, found.chosen_k, weights, ari)


def write_consensus(path: str, result: StudyConsensus, attributes: Mapping[str, Any]) -> None:
    """Store the consensus as the one run of result k, so that whatever reads clusters reads it too; the rest as
    diagnostics."""
    numbers = ("agreement", "second_agreement", "margin", "explained", "flips")
    diagnostics = {name: result.table[name].to_numpy() for name in numbers}
    diagnostics |= {
        "second": result.table["second"].fillna(NO_GROUP).to_numpy(dtype=np.int32),
        "weights": result.weights,
    }
    for name in ("choice", "level"):
        diagnostics[name] = result.table[name].fillna("").to_numpy().astype("S")
    ids = result.table["image_id"].to_numpy(dtype=str)
    runs = Runs.single(result.table["group"].to_numpy()[None])
    whole = {**attributes, "manifest": manifest_digest(ids), "chosen_k": result.chosen_k, "ari": result.ari}
    write_runs(path, [(result.k, Runs(**{**vars(runs), "diagnostics": diagnostics}))], ids, whole)

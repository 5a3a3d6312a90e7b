"""Compute the consensus of a study, and write it as a table and as a store of clusters."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.consensus.consensus import NO_GROUP, consensus, what_flips
from workflow_scripts.consensus.trust import cell_weights, trust
from workflow_scripts.grid.cells import word
from workflow_scripts.io.runs import Runs, write_runs
from workflow_scripts.io.store import manifest_digest
from workflow_scripts.io.tables import read_csv
from workflow_scripts.metrics.agreement import score_restarts

TEXTS = ("image_id", "path", "label", "choice", "level")
"""The columns of `StudyConsensus.table` that are texts."""


@dataclass(frozen=True)
class StudyConsensus:
    """The consensus of a study's cells.

    Attributes
    ----------
    table :
        one row per image: `image_id`, `path` and `label` of the manifest; `group` (from 0, the largest first);
        `agreement`, `second` (the second group, null if there is none), `second_agreement` and `margin` (low for a
        fragile image), as in `consensus.Consensus`; `choice` and `level` (texts, null if there is none), `explained`
        and `flips`, as in `consensus.consensus.what_flips`.
    k : number of groups.
    chosen_k : how k was chosen: `given`, `of the cells` or `lifetime` (see `consensus.consensus`).
    weights : (C,) float64, weights of the cells.
    ari : adjusted Rand index of the groups with the labels; NaN without labels.
    """

    table: pd.DataFrame
    k: int
    chosen_k: str
    weights: np.ndarray
    ari: float


def consensus_of(
    partitions: np.ndarray,
    choices: pd.DataFrame,
    manifest: pd.DataFrame,
    groups: int | None = None,
    agreement: np.ndarray | None = None,
) -> StudyConsensus:
    """Return the consensus of the cells.

    The weight of a cell is its vote (see `trust.Trust`) times its agreement with the other cells.

    Parameters
    ----------
    partitions : (C, N) integers, negative for noise.
    choices : C rows, one column for each axis in which the cells differ.
    manifest : N rows with the columns `image_id`, `path` and `label` (None if missing).
    groups : number of groups; with None, it is chosen as `consensus.consensus` does.
    agreement : (C, C), ARI of each pair of cells; None computes it.
    """
    alone = len(partitions) < 2
    # one sample is enough, because the weights need neither the interval of the ranks nor the agreement by chance
    weights = np.ones(1) if alone else cell_weights(trust(partitions, choices, agreement=agreement, n_samples=1))
    result = consensus(partitions, groups, weights)
    flips = what_flips(result, partitions, choices, weights)
    table = (
        manifest[["image_id", "path", "label"]]
        .reset_index(drop=True)
        .assign(
            group=result.group,
            agreement=result.agreement,
            second=pd.array(np.where(result.second == NO_GROUP, pd.NA, result.second), dtype="Int64"),
            second_agreement=result.second_agreement,
            margin=result.margin,
            choice=flips["choice"],
            level=[_level(*of_image) for of_image in zip(flips["choice"], flips["level"], strict=True)],
            explained=flips["explained"],
            flips=flips["flips"],
        )
    )
    ari = float(score_restarts(result.group[None], table["label"])["ari"][0])
    return StudyConsensus(table, result.k, result.chosen_k, weights, ari)


def _level(choice: str | None, level: object) -> str | None:
    """Return the level of a choice as text, null in words (`all components`); None if there is no choice."""
    if choice is None:
        return None
    return word(choice, None) if level is None else str(level)


def read_groups(path: str) -> pd.DataFrame:
    """Read a `StudyConsensus.table` from the CSV file `path`. A class may have the name `NA`."""
    return read_csv(path, dtype=dict.fromkeys(TEXTS, "object"), na_values=[""])


def write_consensus(path: str, result: StudyConsensus, attributes: Mapping[str, Any]) -> None:
    """Write the consensus to the store `path`, in the format of a cell's store of clusters.

    The store has one run, whose clusters are the k groups. The diagnostics of this run are the weights of the cells,
    and the results for each image, such as `agreement`. `attributes` are attributes of the store; `manifest`,
    `chosen_k` and `ari` are added to them.
    """
    numbers = ("agreement", "second_agreement", "margin", "explained", "flips")
    diagnostics = {name: result.table[name].to_numpy() for name in numbers}
    diagnostics |= {
        "second": result.table["second"].fillna(NO_GROUP).to_numpy(dtype=np.int32),
        "weights": result.weights,
    }
    for name in ("choice", "level"):
        diagnostics[name] = result.table[name].fillna("").to_numpy().astype("S")
    ids = result.table["image_id"].to_numpy(dtype=str)
    runs = replace(Runs.single(result.table["group"].to_numpy()[None]), diagnostics=diagnostics)
    whole = {**attributes, "manifest": manifest_digest(ids), "chosen_k": result.chosen_k, "ari": result.ari}
    write_runs(path, [(result.k, runs)], ids, whole)

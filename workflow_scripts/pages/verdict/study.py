"""The tables of a study that its verdict is made from."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from workflow_scripts.grid.axes import TITLES

TOO_FEW = 0.5
"""If shuffled partitions reach this agreement, there are too few images for any conclusion."""
BETWEEN = 0.5
"""An image lies between two groups if the second has at least this share of the votes of its own group."""


@dataclass(frozen=True)
class VerdictTables:
    """The inputs of a verdict; `tables` are those of the study's figures by kind, some of which may be missing."""

    manifest: pd.DataFrame
    rejected: pd.DataFrame
    consensus: pd.DataFrame
    chosen_k: str
    tables: Mapping[str, pd.DataFrame]

    def table(self, kind: str) -> pd.DataFrame:
        """Return the table of a figure, empty if the study has none of this kind."""
        return self.tables.get(kind, pd.DataFrame())

    @property
    def n_cells(self) -> int:
        """Return the number of cells that are compared, at least 1."""
        return max(len(self.table("trust")), 1)

    @property
    def verdict(self) -> str:
        """Return the verdict of `consensus.trust`, or `few` if the images are so few that shuffled partitions agree."""
        trust = self.table("trust")
        if trust.empty:
            return "nothing"
        first = trust.iloc[0]
        return "few" if first["verdict"] == "nothing" and first["chance"] >= TOO_FEW else str(first["verdict"])

    @property
    def agreement(self) -> float:
        """Return the agreement of the most trusted cell with the others; 0 if there is one cell."""
        trust = self.table("trust")
        return float(trust["agreement"].iloc[0]) if len(trust) else 0.0

    @property
    def n_groups(self) -> int:
        """Return the number of groups of the consensus."""
        return int(self.consensus["group"].nunique())

    @property
    def n_labelled(self) -> int:
        """Return the number of images with a label."""
        return int(self.manifest["label"].notna().sum())

    @property
    def fragile(self) -> pd.DataFrame:
        """Return the images between two groups, the most fragile first."""
        table = self.consensus
        between = table["second_agreement"] >= BETWEEN * table["agreement"]
        return table[between & table["second"].notna()].sort_values(["margin", "path"], kind="stable")

    @property
    def effects(self) -> list[tuple[str, float, float, float]]:
        """Return for each choice of the study its words, its share of the disagreement, p, and the ARI that a change
        costs."""
        table = self.table("partition_effects")
        if table.empty:
            return []
        mains = table[table["order"] == 1]
        return [(choice_in_words(row.term), row.share, row.p, row.added) for row in mains.itertuples()]


def choice_in_words(axis: str) -> str:
    """Return an axis in the form for sentences, such as `layer` or `number of components`."""
    name = TITLES[axis]
    return name[0].lower() + name[1:]

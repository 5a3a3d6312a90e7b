"""Hold the tables of a study from which its verdict is made.

A study compares cells, which are combinations of choices. Their consensus puts each image into a group.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from workflow_scripts.grid.axes import TITLES
from workflow_scripts.pages.verdict.sentences import Effect
from workflow_scripts.wording import in_sentence

TOO_FEW = 0.5
"""Agreement of shuffled partitions from which on there are too few images for any conclusion."""
BETWEEN = 0.5
"""An image lies between two groups if the second group has at least this share of the votes of the first."""


@dataclass(frozen=True)
class VerdictTables:
    """The tables from which the verdict of a study is made.

    Attributes
    ----------
    manifest : the images of the study.
    rejected : the files that were left out, with the reason.
    consensus : the consensus of the cells, as in `consensus.study.StudyConsensus`.
    chosen_k : how the number of groups of the consensus was chosen.
    tables : tables of the study's figures, by kind; a figure that the study does not have is missing.
    """

    manifest: pd.DataFrame
    rejected: pd.DataFrame
    consensus: pd.DataFrame
    chosen_k: str
    tables: Mapping[str, pd.DataFrame]

    def table(self, kind: str) -> pd.DataFrame:
        """Return the table of a kind of figure; it is empty if the study does not have this figure."""
        return self.tables.get(kind, pd.DataFrame())

    @property
    def n_cells(self) -> int:
        """Return the number of cells of the study; it is 1 if there is no table of the figure `trust`."""
        return max(len(self.table("trust")), 1)

    @property
    def verdict(self) -> str:
        """Return the verdict in the table of the figure `trust`: a word for how far the most trusted cell may be
        trusted.

        It is `few` if there are so few images that even shuffled partitions agree, and `nothing` if there is no such
        table.
        """
        trust = self.table("trust")
        if trust.empty:
            return "nothing"
        first = trust.iloc[0]
        return "few" if first["verdict"] == "nothing" and first["chance"] >= TOO_FEW else str(first["verdict"])

    @property
    def agreement(self) -> float:
        """Return the agreement of the most trusted cell with the others; 0 if there is no table of the figure
        `trust`."""
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
        """Return the rows of the consensus for the images that lie between two groups. The lowest margin comes first.

        The margin of an image is the share of the votes for its own group minus the share for its second group. The
        lower it is, the more fragile is the image. An image lies between the two groups if its second group has at
        least `BETWEEN` times as many votes as its own.
        """
        table = self.consensus
        between = table["second_agreement"] >= BETWEEN * table["agreement"]
        return table[between & table["second"].notna()].sort_values(["margin", "path"], kind="stable")

    @property
    def effects(self) -> list[Effect]:
        """Return the effect of each choice on the partitions of the cells."""
        table = self.table("partition_effects")
        if table.empty:
            return []
        mains = table[table["order"] == 1]
        return [
            Effect(choice_in_words(row.term), row.share, row.p, row.added, row.least_p) for row in mains.itertuples()
        ]


def choice_in_words(axis: str) -> str:
    """Return the title of an axis as it stands in a sentence, such as `layer` or `number of components`."""
    return in_sentence(TITLES[axis])

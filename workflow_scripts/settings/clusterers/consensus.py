"""The settings of the clusterer that takes the consensus of a study."""

from typing import Literal

from workflow_scripts.settings.base import Name
from workflow_scripts.settings.clusterers.base import Clusterer


class Consensus(Clusterer):
    """The groups on which the cells of a study agree. The points of its cell, which it does not cluster, are used to
    show and score the groups and to assign new images to them."""

    in_prose = "the consensus of the cells of the study {study} by co-association [@fred2005]"
    method: Literal["consensus"] = "consensus"
    study: Name
    """The name of the study. Its cells with this clusterer do not count, so the study may contain such cells itself."""

    @property
    def study_read(self) -> str:
        return self.study

    def seconds(self, n: int, d: int) -> float:
        """Return 0, because the job only reads."""
        return 0.0

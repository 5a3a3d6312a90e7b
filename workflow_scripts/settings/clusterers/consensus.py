"""The settings of the clusterer that takes its clusters from the consensus of a study."""

from typing import Literal

from workflow_scripts.settings.base import Name
from workflow_scripts.settings.clusterers.base import Clusterer


class Consensus(Clusterer):
    """The groups on which the cells of a study agree. This clusterer does not cluster the points of its own cell. The
    points only serve to show and score the groups, and to assign new images to them."""

    in_prose = "the consensus of the cells of the study {study} by co-association [@fred2005]"
    method: Literal["consensus"] = "consensus"
    study: Name
    """The name of the study. It may have cells with this clusterer; they are left out of the consensus."""

    @property
    def study_read(self) -> str:
        return self.study

    def seconds(self, n: int, d: int) -> float:
        """Return 0, because the job only reads the consensus."""
        return 0.0

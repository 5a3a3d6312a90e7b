"""The protocol that the module of every kind of figure follows."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pandas as pd
from matplotlib.figure import Figure as Canvas


class Figure(Protocol):
    """A module of this folder with the name of a model in `settings.figures`."""

    def tabulate(
        self, figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
    ) -> pd.DataFrame:
        """Return the table that the figure draws; `inputs` has the paths of the artefacts of its cells by name."""

    def draw(
        self, table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]
    ) -> Canvas:
        """Return the figure drawn from the table."""

"""The functions that the module of every kind of figure has.

A figure shows cells of a study; a cell is one combination of choices (preprocessing, layer, clusterer and so on).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pandas as pd
from matplotlib.figure import Figure as Canvas


class Figure(Protocol):
    """The interface of a figure's module. The module's name is the setting `kind` of the figure."""

    def tabulate(
        self, figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
    ) -> pd.DataFrame:
        """Return the table that the figure draws.

        Parameters
        ----------
        figure : settings of the figure.
        cells : for each cell of the figure, its value on each axis.
        inputs : paths of the artefacts that the figure reads, by the name of the artefact.
        """

    def draw(
        self, table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]
    ) -> Canvas:
        """Return the figure drawn from the table.

        Parameters
        ----------
        table : as `tabulate` returns it.
        figure : settings of the figure.
        inputs : paths of the files that the drawing needs, such as manifests and preprocessed images, by name.
        style : settings of the look of all figures.
        """

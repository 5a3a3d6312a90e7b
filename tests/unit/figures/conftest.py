"""The artefacts that figures read, written once for each number of classes."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import pytest
from figure_artefacts import artefacts, draw, tabulate
from matplotlib.figure import Figure

Made = tuple[list[dict[str, Any]], Mapping[str, Any]]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Made]:
    """Return a function for the cells and the inputs of a kind of figure; nobody may change these files."""

    @cache
    def of_every_kind(n_classes: int, labelled: bool, names: tuple[str, ...] | None) -> dict[str, Made]:
        return artefacts(tmp_path_factory.mktemp("artefacts"), n_classes, labelled, names)

    def of_kind(kind: str, n_classes: int = 7, labelled: bool = True, names: Sequence[str] | None = None) -> Made:
        return of_every_kind(n_classes, labelled, names and tuple(names))[kind]

    return of_kind


@pytest.fixture(scope="session")
def drawn(made: Callable[..., Made]) -> Callable[..., Figure]:
    """Return a function that draws a kind of figure."""

    def draw_kind(
        kind: str, n_classes: int = 7, labelled: bool = True, width: float = 170, title: str | None = None
    ) -> Figure:
        cells, inputs = made(kind, n_classes, labelled)
        return draw(kind, tabulate(kind, cells, inputs), inputs, width, title)

    return draw_kind

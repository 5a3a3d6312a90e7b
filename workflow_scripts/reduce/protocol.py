"""What the module of every decomposition has."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Decomposition(Protocol):
    """A module of this folder that a model of `settings.decompositions` names."""

    def decompose(
        self, source: str, path: str, settings: Mapping[str, Any], code: str, progress: Callable[[int, int], None]
    ) -> None:
        """Decompose the store `source` into the store `path`, which holds the digest `code` of the code."""

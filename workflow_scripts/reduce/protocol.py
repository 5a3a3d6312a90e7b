"""The interface of the modules of decompositions."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Decomposition(Protocol):
    """A module of this folder with the name of a settings model of `settings.decompositions`."""

    def decompose(
        self, source: str, path: str, settings: Mapping[str, Any], code: str, progress: Callable[[int, int], None]
    ) -> None:
        """Decompose the store `source` and write the result to the store `path`, with the digest `code` of the code.

        `progress` is called with (done, total).
        """

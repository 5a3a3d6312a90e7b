"""One module for each clusterer, with a function `cluster` that gives the runs (`io.runs`) of every k."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the restarts that are done and those that there are."""

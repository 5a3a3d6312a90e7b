"""Clusterers: one module for each method; its function `cluster` yields the runs (`io.runs.Runs`) of every k."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Type of a callback that is called with the number of finished restarts and the total number of restarts."""

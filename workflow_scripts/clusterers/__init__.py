"""Clusterers: one module for each method. Its function `cluster` yields the runs (`io.runs.Runs`) for each k.

A restart is one clustering from one initialisation. A repeat is the best of `n_init` restarts, and has its own seed.
Runs are the clusterings that are stored for one k: those of all restarts, or the best one of each repeat.
"""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""The type of functions that are called with the number of finished restarts and the number of all restarts."""

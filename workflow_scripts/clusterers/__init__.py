"""Clusterers: one module for each method. The module's function `cluster` yields the runs (`io.runs.Runs`) for each k.

A restart is one clustering from one initialisation. A repeat consists of `n_init` restarts, and has its own seed; its
result is the best restart. Runs are the clusterings that are stored for one k: all restarts, or the best one of each
repeat.
"""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""The type of functions that are called with the number of finished restarts and the number of all restarts."""

"""Criteria for the number of clusters: one module each with a function `recommend`; `survey` computes them all."""

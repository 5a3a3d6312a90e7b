"""Criteria for the number of clusters k: one module each, with a function `recommend`; `survey` computes them all."""

"""How many groups: one module for each criterion, with `recommend`, and `survey`, which computes them all."""

"""Figures, one module for each kind: `tabulate` computes the table, `draw` draws it and computes nothing."""

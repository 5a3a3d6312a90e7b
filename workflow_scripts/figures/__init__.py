"""Draw figures, one module for each kind: `tabulate` computes its table, `draw` draws the table and computes
nothing."""

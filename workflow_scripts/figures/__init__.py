"""Draw figures, one module for each kind: `tabulate` computes a table, and `draw` draws it and computes nothing."""

"""One module per kind of figure: `tabulate` computes what is drawn, `draw` draws it and computes nothing."""

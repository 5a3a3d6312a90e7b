"""Preprocessing: one module per step, each with `apply(image, **parameters)`, float32 in [0, 1] in and out."""

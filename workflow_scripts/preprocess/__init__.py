"""Preprocessing of images. Each step is a module with a function `apply`; images are float32 in [0, 1]."""

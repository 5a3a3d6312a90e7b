"""Compute the features of images by networks or descriptors, or read them from tables of other programs."""

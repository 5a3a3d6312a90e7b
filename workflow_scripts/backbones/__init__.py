"""Compute the features of images by pretrained networks or by descriptors, or read them from tables of other
programs."""

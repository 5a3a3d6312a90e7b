"""Extraction of features by pretrained networks, by descriptors, or from tables of other programs."""

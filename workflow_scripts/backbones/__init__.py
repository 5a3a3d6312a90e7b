"""Pretrained networks as feature extractors: names, weights, one forward pass for any number of layers."""

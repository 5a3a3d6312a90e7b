"""Reduction of features to fewer dimensions: PCA, t-SNE and autoencoders."""

"""Reduction of features to fewer dimensions (decomposition), such as PCA, t-SNE and autoencoders."""

"""Saved clusterings that can predict the clusters of new images: fitting, saving, loading and prediction."""

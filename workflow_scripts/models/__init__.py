"""Models: saved clusterings that predict the clusters of new images, and tests of new images.

The novelty of an image is its distance to the kept images of a model, relative to the distances among these. A third of
the images is held out, that is, not kept; the clusters come from all images. Tests compare the new images with these
held-out images, which are also called the known images.
"""

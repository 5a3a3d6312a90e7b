"""The gallery: a page with the images of each cluster, from its centre to its edge, and with twins, which are similar
images in different clusters."""

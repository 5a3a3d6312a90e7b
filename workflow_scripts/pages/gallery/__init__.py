"""The gallery: a page with the images of each cluster that are nearest to the centre, at the border to another cluster,
and farthest from the centre, and with twins (similar images in different clusters)."""

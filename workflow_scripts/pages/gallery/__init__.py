"""The gallery: a page with the images at the centre, the border and the edge of each cluster, and near-twins."""

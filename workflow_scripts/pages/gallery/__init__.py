"""The gallery: a page with images near the centre, at the border and at the edge of each cluster, and near-twins."""

"""The explorer: a page with a map of all images, coloured by the clusters of a cell that the user chooses. On the map
the user can select and label images."""

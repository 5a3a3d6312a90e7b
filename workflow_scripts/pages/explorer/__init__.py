"""The explorer: a page with a map of all images, coloured by the clusters of any cell, to select and label images
on."""

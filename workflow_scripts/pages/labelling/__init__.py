"""The labelling: a page on which people label images, in the order in which the labels help most."""

"""The labelling: the order in which labels help most, and a page on which to give them."""

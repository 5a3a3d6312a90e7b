"""The labelling: the order in which labels help most, and a page to give them."""

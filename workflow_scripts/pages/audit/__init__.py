"""Which labels to look at again: evidence from neighbours and clusters, a ranking, and a page to decide on."""

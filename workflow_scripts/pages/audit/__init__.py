"""The label audit: evidence from neighbours and clusters, a ranking of doubtful labels, and a page to decide on
them."""

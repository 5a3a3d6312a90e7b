"""From features to the few coordinates that are clustered or drawn."""

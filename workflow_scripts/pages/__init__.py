"""Pages for people: one HTML file each, that opens without a network."""

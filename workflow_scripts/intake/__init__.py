"""From a folder of files to a manifest of pictures: listing, decoding, duplicates, and then labels."""

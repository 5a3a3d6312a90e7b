"""The page about a folder of images that grows."""

"""The page about a folder to which new images are added again and again."""

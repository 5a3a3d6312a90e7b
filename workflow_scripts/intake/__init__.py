"""Turn a folder of files into a manifest, that is a table of images with labels."""

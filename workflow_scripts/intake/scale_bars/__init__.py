"""The scale of micrographs, in nanometres per pixel, from the file's metadata or from the scale bar in the image."""

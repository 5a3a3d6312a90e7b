"""Find the scale of micrographs, in nanometres per pixel, in the file's metadata or by the scale bar in the image."""

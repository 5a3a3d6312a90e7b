"""How many nanometres a pixel of a micrograph is: from the file's metadata, or read from the bar under the picture."""

"""What the cells of a study agree on, which of them to trust, what decides the answer and what confounds it.

Every module takes `partitions` (C, N), a row of integers per cell, a column per image. **Noise** (any negative label)
is no cluster: an image that is noise in a cell is in that cell together with no other image.
"""

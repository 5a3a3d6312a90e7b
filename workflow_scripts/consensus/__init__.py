"""Compare the cells of a study without labels: consensus, trust, effects of the choices, and nuisances.

Every module takes `partitions` (C, N) integers, one row per cell and one column per image. **Noise** (any negative
label) is not a cluster: an image that is noise in a cell is together with no other image in that cell.
"""

"""Compare the cells of a study by their partitions alone, without labels: consensus, trust, effects of the choices, and
nuisances.

A cell is one combination of choices, and a study is a set of cells. An axis is a choice, such as the backbone, and its
levels are the values that it has in the study. Every module takes `partitions` (C, N) integers, with one row per cell
and one column per image. **Noise** (any negative number) is not a cluster: an image that is noise in a cell is together
with no other image in that cell.
"""

"""The grid: its axes, the cells of each study, the paths of all artefacts, and the inputs of each rule."""

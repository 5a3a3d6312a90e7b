"""The grid of choices: its axes, the cells of each study, the paths of all artefacts, and the inputs of each rule.

An axis is one choice, such as the backbone. A cell is a combination of choices, with one value for each axis. An
artefact is a kind of file that the workflow makes.
"""

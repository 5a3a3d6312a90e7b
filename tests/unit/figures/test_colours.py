"""Colours that people tell apart."""

import itertools

import numpy as np
from figure_artefacts import STYLE
from matplotlib.colors import to_rgb
from skimage.color import deltaE_ciede2000, rgb2lab

from workflow_scripts.figures.colours import looks, shade


def test_25_classes_and_their_second_clusters_look_different():
    of_classes = looks([str(i) for i in range(25)], STYLE).values()
    everything = [shade(look, rank) for look in of_classes for rank in (1, 2, 3)]
    assert len({(look.colour, look.marker) for look in everything}) == 75
    assert len({look.colour for look in of_classes}) == 25


def test_colours_differ_for_colour_blind_eyes():
    """Machado, Oliveira & Fernandes 2009, severity 1; a CIEDE2000 difference above 10 is seen at a glance."""
    deuteranopia = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    protanopia = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    tritanopia = [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    rgb = np.array([to_rgb(look.colour) for look in looks([str(i) for i in range(10)], STYLE).values()])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    for eyes in (np.eye(3), deuteranopia, protanopia, tritanopia):
        seen = np.clip(linear @ np.transpose(eyes), 0, 1)
        lab = rgb2lab(np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055))
        assert min(deltaE_ciede2000(a, b) for a, b in itertools.combinations(lab, 2)) > 10

"""TURTLE: its objective and a step of it against sums by hand, and what its entropy does."""

from math import log

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import adjusted_rand_score

from workflow_scripts.clusterers import turtle
from workflow_scripts.clusterers.turtle import Linear, labelling_loss
from workflow_scripts.errors import UserError
from workflow_scripts.settings.clusterers.trained import Turtle


def _labels(points, k, **other):
    ((_, runs),) = turtle.cluster(points, Turtle(k=[k], repeats=1, **other).dump(), 0, 1, lambda done, total: None)
    return runs.labels[0]


def test_the_objective_is_the_papers_sums():
    random = np.random.default_rng(0)
    logits, labels = random.normal(size=(6, 3)), random.dirichlet([1, 1, 1], 6)
    expected = 0.0
    for i in range(6):
        total = sum(np.exp(logits[i, c]) for c in range(3))
        expected -= sum(labels[i, c] * log(np.exp(logits[i, c]) / total) for c in range(3)) / 6
    sizes = [sum(labels[i, c] for i in range(6)) / 6 for c in range(3)]
    loss, entropy = labelling_loss(torch.tensor(logits)[None], torch.tensor(labels)[None])
    np.testing.assert_allclose(loss, expected, rtol=1e-12)
    np.testing.assert_allclose(entropy, -sum(size * log(size) for size in sizes), rtol=1e-12)


def test_the_objective_in_two_spaces_compares_each_classifier_with_the_mean_of_the_labels():
    """The paper's equations 9 and 12: losses and entropies are sums over the spaces."""
    random = np.random.default_rng(0)
    logits, labels = random.normal(size=(2, 6, 3)), random.dirichlet([1, 1, 1], (2, 6))
    shares = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    expected = sum(-(labels.mean(axis=0) * np.log(of_space)).sum(axis=1).mean() for of_space in shares)
    sizes = labels.mean(axis=1)
    loss, entropy = labelling_loss(torch.tensor(logits), torch.tensor(labels))
    np.testing.assert_allclose(loss, expected, rtol=1e-12)
    np.testing.assert_allclose(entropy, -(sizes * np.log(sizes)).sum(), rtol=1e-12)


def test_two_spaces_tell_apart_what_each_alone_leaves_together():
    random = np.random.default_rng(0)
    classes = np.arange(80) % 4
    halves = [np.where((classes // 2 if space else classes % 2)[:, None], 4.0, -4.0) for space in (0, 1)]
    points = np.hstack([half + random.normal(size=(80, width)) for half, width in zip(halves, (3, 5), strict=True)])
    settings = Turtle(k=[4], repeats=4, steps=40, learning_rate=0.05, spaces=[3, 5]).dump()
    ((_, runs),) = turtle.cluster(points, settings, 0, 1, lambda done, total: None)
    assert max(adjusted_rand_score(classes, labels) for labels in runs.labels) > 0.9
    with pytest.raises(UserError, match=r"turtle.spaces: found 3 \+ 4, allowed: numbers whose sum .* columns, 8"):
        _labels(points, 4, spaces=[3, 4])


def test_the_layer_of_the_labelling_is_normalised():
    """As PyTorch's own parametrisation: the same outputs and the same gradients."""
    ours = Linear(5, 3, True, torch.Generator().manual_seed(1))
    theirs = torch.nn.Linear(5, 3)
    with torch.no_grad():
        theirs.weight.copy_(ours.weight)
        theirs.bias.copy_(ours.bias)
    theirs = torch.nn.utils.parametrizations.weight_norm(theirs)
    x = torch.randn(7, 5, generator=torch.Generator().manual_seed(2))
    for layer in (ours, theirs):
        layer(x).square().sum().backward()
    torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.length.grad, theirs.parametrizations.weight.original0.grad)
    torch.testing.assert_close(ours.weight.grad, theirs.parametrizations.weight.original1.grad)


def test_entropy_makes_sizes_even_and_its_absence_does_not():
    points, _ = make_blobs([150, 30], 6, random_state=1)
    even, free = (np.bincount(_labels(points, 2, gamma=gamma, steps=100)) for gamma in (30, 1))
    assert even.min() > 50
    assert free.min() < 40


def test_the_classes_of_the_digits_are_found_in_part():
    points, labels = load_digits(return_X_y=True)
    assert adjusted_rand_score(labels[:900], _labels(points[:900], 10, steps=200)) > 0.5


def test_the_memory_of_many_points_is_that_of_their_final_loss():
    """The peak of a run of this size grew by 262 MB (measured)."""
    assert 262e6 <= Turtle(k=[100], repeats=1).working_memory(150_000, 50) <= 3 * 262e6

"""TEMI: its loss against sums by hand, its neighbours against scikit-learn, and what the paper claims, on digits."""

from math import exp, log

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from workflow_scripts.clusterers import temi
from workflow_scripts.clusterers.kmeans import run_restarts
from workflow_scripts.clusterers.temi.heads import Distillation, Heads, log_probabilities, pair_losses
from workflow_scripts.clusterers.temi.neighbours import ROWS, nearest
from workflow_scripts.errors import UserError
from workflow_scripts.settings.clusterers.trained import Temi
from workflow_scripts.settings.costs import SIMILARITIES_AT_ONCE

H, N, K = 3, 5, 4


def _probabilities(random):
    p = random.random((H, N, K))
    return p / p.sum(axis=-1, keepdims=True)


def test_the_loss_is_the_papers_sums():
    random = np.random.default_rng(0)
    student_a, student_b, teacher_a, teacher_b = (_probabilities(random) for _ in range(4))
    prior, beta = _probabilities(random)[:, 0], 0.6
    expected = np.zeros(H)
    for head in range(H):
        for i in range(N):
            weight = sum(teacher_a[h, i, c] * teacher_b[h, i, c] for h in range(H) for c in range(K)) / H
            forth = sum((student_a[head, i, c] * teacher_b[head, i, c]) ** beta / prior[head, c] for c in range(K))
            back = sum((student_b[head, i, c] * teacher_a[head, i, c]) ** beta / prior[head, c] for c in range(K))
            expected[head] -= weight * (log(forth) + log(back)) / 2 / N
    logs = [torch.tensor(p).log() for p in (student_a, student_b, teacher_a, teacher_b)]
    ours = pair_losses((logs[0], logs[1]), (logs[2], logs[3]), torch.tensor(prior), beta)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


def test_a_head_is_the_papers_network():
    """Two layers with GELU between, a vector of length 1, and cosines to the clusters; then a softmax over 0.1."""
    heads = Heads(2, (3, 5, 4, 2), torch.Generator().manual_seed(1)).double()
    x = np.random.default_rng(0).normal(size=(6, 3))
    ours = log_probabilities(heads, torch.tensor(x), 0.1).exp().detach()
    for head in range(2):
        first, second, last = (weights[head].detach().numpy() for weights in heads.layers)
        for i in range(6):
            hidden = [v * (1 + torch.special.erf(torch.tensor(v / 2**0.5)).item()) / 2 for v in x[i] @ first]
            code = np.array(hidden) @ second
            code = code / np.sqrt(sum(code**2))
            cosines = [code @ last[:, c] / np.sqrt(sum(last[:, c] ** 2)) for c in range(2)]
            odds = [exp(cosine / 0.1) for cosine in cosines]
            np.testing.assert_allclose(ours[head, i], np.array(odds) / sum(odds), rtol=1e-9)


def test_the_teacher_and_the_sizes_are_moving_averages():
    heads = Distillation(Heads(2, (3, 5, 4, 2), torch.Generator().manual_seed(1)))
    before = heads.teacher.gains.clone()
    with torch.no_grad():
        heads.student.gains += 1
    heads.follow(0.75)
    torch.testing.assert_close(heads.teacher.gains, before + 0.25)
    a, b = torch.randn(2, 7, 3, generator=torch.Generator().manual_seed(2))
    log_a, log_b = heads.teach(a, b, 0.1)
    torch.testing.assert_close(heads.prior, 0.9 * 0.5 + 0.1 * torch.cat([log_a, log_b], dim=1).exp().mean(dim=1))


def test_neighbours_are_those_of_scikit_learn():
    X = np.random.default_rng(0).normal(size=(1100, 6)).astype(np.float32)  # three blocks
    expected = NearestNeighbors(n_neighbors=5, metric="cosine", algorithm="brute").fit(X.astype(float)).kneighbors()[1]
    np.testing.assert_array_equal(nearest(torch.from_numpy(X), 5), expected)


def test_the_estimate_of_memory_counts_the_similarities_of_a_block():
    assert SIMILARITIES_AT_ONCE == ROWS


def test_it_is_better_than_k_means_on_the_digits():
    """What the paper claims: heads add to the k-means of the features (adjusted Rand index 0.665).

    With eight heads and a thousand steps three repeats had 0.77 to 0.78.
    """
    points, labels = load_digits(return_X_y=True)
    settings = Temi(k=[10], repeats=1, n_heads=4, steps=600).dump()
    ((_, runs),) = temi.cluster(points, settings, 0, 1, lambda done, total: None)
    k_means = run_restarts(points, 10, 100, 0).best_labels
    assert adjusted_rand_score(labels, runs.labels[0]) > adjusted_rand_score(labels, k_means)


def test_more_neighbours_than_images_are_one_line():
    settings = Temi(k=[2], n_neighbors=10).dump()
    with pytest.raises(UserError, match=r"temi: n_neighbors: found 10, allowed: less than the number of images, 9"):
        temi.cluster(np.eye(9), settings, 0, 1, lambda done, total: None)

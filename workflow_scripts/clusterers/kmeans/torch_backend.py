"""Run all restarts of a batch together in torch, on a GPU or where no C kernel was compiled.

The result of a restart depends, to the last bit, only on the points and on its first centres. It does not depend on the
other restarts, the number of threads, the instruction set or the device. The order of additions in a matrix product
does depend on these. Matrix products are therefore used in two ways only. Some are exact: their factors are integers
times a power of two with so few bits that no sum is rounded, and every order gives the same sum (Ozaki et al. 2012,
"Error-free transformations of matrix multiplication"). The others are rounded: an error bound tells which labels are
uncertain, and these are decided by sums in one fixed order.
"""

import ctypes as ct
import math

import numpy as np
import torch
from numpy.typing import DTypeLike

from workflow_scripts.clusterers.kmeans.problem import Batch, Problem, Result

MANTISSA = 53
"""Bits of the mantissa of a number in double precision."""
MASS_BITS = 62
"""Largest number of bits of the sum of all points' squared distances, as integers, when k-means++ draws a point."""
CACHE_DISTANCES_UP_TO = 5000
"""Largest number of points for which the distances of all pairs are kept in memory."""
MARGIN = 1 + 2**-16
"""Factor of the bounds on rounding errors that makes up for the rounding of the bounds themselves."""
DIFFERENCES_AT_ONCE = 2**18
"""Largest number of differences of coordinates, or of distances of a block of points, that are in memory at once."""


class TorchBackend:
    """Run Lloyd's iterations of a batch of restarts with two matrix products for each iteration.

    The first product, in `dtype`, gives the score x . c - |c|^2 / 2 of each point x and centre c. The nearest centre of
    a point has the highest score. If the two highest scores are so close that rounding could have changed their order,
    distances in double precision decide. The second product is exact. It gives the sum of the points of each cluster,
    and their number. Restarts that have converged take no part in later iterations. The squared distances of all pairs
    of points are kept if N <= 5000 and they fit into `max_memory` bytes; the choice of first centres is then fast.
    """

    def __init__(self, problem: Problem, dtype: DTypeLike | None, device: str, max_memory: int) -> None:
        self._dtype = torch.float64 if dtype and np.dtype(dtype) == np.float64 else torch.float32
        self._device = torch.device(device)
        self._budget = max_memory if self._device.type != "cpu" else min(max_memory, 2**26)
        self._rounded = problem.rounded
        n, d = problem.X.shape
        X = torch.as_tensor(problem.X, dtype=torch.float64, device=self._device)
        coarse, fine = _split(X, (MANTISSA - 1) // 2)
        self._X = coarse + fine
        ones = torch.ones_like(X[:, :1])
        self._summands = torch.cat([coarse, fine, ones], dim=1)
        self._scored = torch.cat([self._X, ones], dim=1).to(self._dtype)
        norms = self._X.norm(dim=1)
        self._powers = torch.stack([torch.ones_like(norms), norms, norms**2]).mul_(MARGIN).to(self._dtype)
        self._slices = _split(X, (MANTISSA - math.ceil(math.log2(4 * d)) - 1) // 2)
        a, b = self._slices
        self._own_products = [torch.einsum("nd,nd->n", *pair) for pair in ((a, a), (2 * a, b), (b, b))]
        self._all_distances = None
        if n <= CACHE_DISTANCES_UP_TO and 8 * n**2 <= max_memory:
            self._all_distances = self._distances_in_blocks(n)
        self._mass_bits = MASS_BITS - math.ceil(math.log2(n))

    def chunk(self, k: int) -> int:
        """Return the number of restarts with k clusters whose scores fit into memory."""
        return max(1, self._budget // (8 * k * len(self._X)) // 2)

    def run(self, batch: Batch, stop: ct.c_int32) -> Result:
        """Run all restarts of `batch` together; `stop` is described in `problem.Backend`."""
        state = _State(self._start(batch), len(self._X))
        for _ in range(batch.max_iter):
            if stop.value or not len(state.active):
                break
            self._step(state, batch.tol)
        self._finish_labels(state)
        inertia = self._rounded(self._inertia(state).cpu().numpy())
        best = int(inertia.argmin())
        labels = state.labels.cpu().numpy()
        batch.labels[:] = labels if batch.keep_all else labels[best]
        centers = state.centers[best].cpu().numpy()
        return Result(inertia, state.n_iter.cpu().numpy(), state.converged.cpu().numpy(), centers, state.settled)

    def _start(self, batch: Batch) -> torch.Tensor:
        if batch.start_centers is not None:
            return torch.as_tensor(batch.start_centers, dtype=torch.float64, device=self._device)
        points = self._seed(batch) if batch.draws is not None else batch.start_points
        return self._X[torch.as_tensor(points, dtype=torch.int64, device=self._device)]

    def _seed(self, batch: Batch) -> torch.Tensor:
        """Return the indices (restarts, k) of the points that are the first centres, chosen by greedy k-means++.

        All restarts are done at once. The C function `seed` of the kernels does the same.
        """
        n = len(self._X)
        draws = torch.as_tensor(batch.draws, device=self._device)
        first = (draws[:, 0] * n).long()
        chosen = [first]
        distance = self._distances(first[:, None])[:, 0]
        for start in range(1, draws.shape[1], batch.trials):
            trial = draws[:, start : start + batch.trials].contiguous()
            unit = _power_of_two_above(distance.amax(1)) * 2.0**-self._mass_bits
            mass = (distance / unit[:, None]).long().cumsum(1)  # integers: the order of additions does not matter
            candidates = torch.searchsorted(mass, (trial * mass[:, -1:]).long()).clamp_(max=n - 1)
            lowered = torch.minimum(self._distances(candidates), distance[:, None])
            best = (lowered / unit[:, None, None]).long().sum(2).argmin(1, keepdim=True)
            distance = lowered.gather(1, best[:, :, None].expand(-1, -1, n))[:, 0]
            chosen.append(candidates.gather(1, best)[:, 0])
        return torch.stack(chosen, dim=1)

    def _distances(self, points: torch.Tensor) -> torch.Tensor:
        """Return the squared distances (R, L, N) of all points to the points with the indices `points` (R, L).

        Each point x is a sum of a coarse part a and a fine part b, and y = a' + b' in the same way. So |x - y|^2 is
        |a - a'|^2 + 2 (a - a') . (b - b') + |b - b'|^2, and each term is an exact product.
        """
        if self._all_distances is not None:
            return self._all_distances[points]
        at = points.reshape(-1)
        (a, b), (of_a, of_both, of_b) = self._slices, self._own_products
        total = _of_pairs(of_a, at).addmm_(a[at], a.T, alpha=-2)
        total += _of_pairs(of_both, at).addmm_(a[at], b.T, alpha=-2).addmm_(b[at], a.T, alpha=-2)
        total += _of_pairs(of_b, at).addmm_(b[at], b.T, alpha=-2)
        return total.clamp_(min=0).view(*points.shape, -1)

    def _distances_in_blocks(self, n: int) -> torch.Tensor:
        """Return the squared distances of all n points, (n, n); no other matrix of this size is in memory."""
        distances = torch.empty(n, n, dtype=torch.float64, device=self._device)
        for rows in torch.arange(n, device=self._device).split(max(1, DIFFERENCES_AT_ONCE // n)):
            distances[rows] = self._distances(rows[None])[0]
        return distances

    def _assign(self, centers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, int]:
        """Assign all points to their nearest centres (R, k, d).

        Return the labels (R, N), the sums (R, k, d) and numbers (R, k) of the points of each cluster, and how many
        labels were decided in double precision.
        """
        restarts, k, d = centers.shape
        squared_norms = folded_sum(centers**2)
        biased = torch.cat([centers, -0.5 * squared_norms[..., None]], dim=2).to(self._dtype)
        scores = (biased.view(-1, d + 1) @ self._scored.T).view(restarts, k, -1)
        lowest = (scores.amax(1) - self._rounding(squared_norms))[:, None]
        onehot = torch.ge(scores, lowest, out=torch.empty_like(scores, dtype=torch.float64))
        restart, point = (onehot.sum(1) > 1).nonzero(as_tuple=True)
        step = max(1, DIFFERENCES_AT_ONCE // (k * d))
        for r, i in zip(restart.split(step), point.split(step), strict=True):
            onehot[r, :, i] = self._nearest(centers, r, i)
        sums = onehot.view(restarts * k, -1) @ self._summands
        sums, counts = sums[:, :d] + sums[:, d:-1], sums[:, -1]
        labels = torch.arange(k, dtype=torch.float64, device=self._device) @ onehot
        return labels.to(torch.int32), sums.view(restarts, k, d), counts.view(restarts, k), len(restart)

    def _rounding(self, squared_norms: torch.Tensor) -> torch.Tensor:
        """Return for each point an upper bound on the difference of two scores whose order can be wrong, (R, N).

        The order can be wrong because of rounding errors. If the two highest scores of a point differ by more than the
        bound, the centre with the highest score is also the one that `_nearest` would choose. The bound is twice the
        sum of the rounding errors that two scores and two distances can have. A score is a sum of d + 1 products, added
        in any order; their factors were rounded once (Higham 2002, section 3.1). For a point x and the longest centre
        c, the errors are proportional to |c| (|x| + |c| / 2) for scores and to (|x| + |c|)^2 for distances.
        """
        d = self._X.shape[1]
        info = torch.finfo(self._dtype)
        c = squared_norms.amax(1).sqrt()
        of_scores, of_distances = 2 * (d + 4) * info.eps, (math.log2(d) + 4) * torch.finfo(torch.float64).eps
        constant = (of_scores / 2 + of_distances) * c**2 + 2 * (d + 4) * info.tiny
        linear = (of_scores + 2 * of_distances) * c
        powers = torch.stack([constant, linear, torch.full_like(c, of_distances)], dim=1)
        return powers.to(self._dtype) @ self._powers

    def _nearest(self, centers: torch.Tensor, restart: torch.Tensor, point: torch.Tensor) -> torch.Tensor:
        """Return the nearest centre of each of P points as a one-hot matrix (P, k); of equally near centres, the first.

        `point` (P,) are the indices of the points. `restart` (P,) are the indices of the restarts; each point is
        compared with the centres of its restart.
        """
        distance = folded_sum((self._X[point][:, None] - centers[restart]) ** 2)
        nearest = torch.zeros_like(distance)
        return nearest.scatter_(1, distance.argmin(1, keepdim=True), 1)

    def _step(self, state: "_State", tol: float) -> None:
        """Run one iteration of the restarts that are not finished, with scikit-learn's rules for stopping."""
        active = state.active
        old = state.centers[active]
        labels, sums, counts, settled = self._assign(old)
        for r in (counts == 0).any(1).nonzero()[:, 0].tolist():
            self._relocate(old[r], labels[r], sums[r], counts[r])
        centers = sums / counts[..., None]
        strict = (labels == state.labels[active]).all(1)
        done = strict | (folded_sum(((centers - old) ** 2).flatten(1)) <= tol)
        state.centers[active] = centers
        state.labels[active] = labels
        state.n_iter[active] += 1
        state.strict[active] = strict
        state.converged[active] = done
        state.active = active[~done]
        state.settled += settled

    def _relocate(self, centers: torch.Tensor, labels: torch.Tensor, sums: torch.Tensor, counts: torch.Tensor) -> None:
        """Fill the empty clusters of one restart with the points farthest from their centres, as scikit-learn does.

        `sums` (k, d) and `counts` (k,) are changed in place.
        """
        distance = self._squared_gaps(centers[None], labels[None])[0]
        empty = (counts == 0).nonzero()[:, 0]
        farthest = distance.argsort(descending=True, stable=True)[: len(empty)]
        if distance[farthest[0]] > 0:
            for j, i in zip(empty.tolist(), farthest.tolist(), strict=True):
                donor = int(labels[i])
                sums[donor] -= self._X[i]
                counts[donor] -= 1
                sums[j] = self._X[i]
                counts[j] = 1
        empty = counts == 0
        largest = counts.argmax()
        sums[empty] = sums[largest].clone()
        counts[empty] = counts[largest].clone()

    def _squared_gaps(self, centers: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the squared distance of every point to the centre of its label, (R, N).

        `centers` (R, k, d) and `labels` (R, N) are those of R restarts.
        """
        n, d = self._X.shape
        labels = labels.flatten().long()
        distances = torch.empty(len(labels), dtype=torch.float64, device=self._device)
        for at in torch.arange(len(labels), device=self._device).split(max(1, DIFFERENCES_AT_ONCE // d)):
            gaps = centers[at // n, labels[at]].sub_(self._X[at % n])
            distances[at] = folded_sum(gaps.square_())
        return distances.view(-1, n)

    def _finish_labels(self, state: "_State") -> None:
        """Compute the labels for the final centres, for those restarts whose labels changed in the last iteration."""
        loose = (~state.strict).nonzero()[:, 0]
        if len(loose):
            state.labels[loose] = self._assign(state.centers[loose])[0]

    def _inertia(self, state: "_State") -> torch.Tensor:
        """Return the inertia of each restart: the sum of the squared distances to the nearest centres, (R,)."""
        return folded_sum(self._squared_gaps(state.centers, state.labels))


class _State:
    """The state of the restarts of one batch.

    Attributes
    ----------
    centers : (R, k, d) float64, the present centres.
    labels : (R, N) int32; -1 before the first iteration.
    n_iter : (R,) int32, number of iterations so far.
    strict : (R,) bool, whether the last iteration changed no label.
    converged : (R,) bool, whether the restart has stopped by itself.
    active : indices of the restarts that have not converged.
    settled : how many times a point's nearest centre had to be decided in double precision.
    """

    def __init__(self, centers: torch.Tensor, points: int) -> None:
        restarts, device = len(centers), centers.device
        self.centers = centers
        self.labels = torch.full((restarts, points), -1, dtype=torch.int32, device=device)
        self.n_iter = torch.zeros(restarts, dtype=torch.int32, device=device)
        self.strict = torch.zeros(restarts, dtype=torch.bool, device=device)
        self.converged = torch.zeros(restarts, dtype=torch.bool, device=device)
        self.active = torch.arange(restarts, device=device)
        self.settled = 0


def _split(X: torch.Tensor, bits: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return two arrays whose sum is nearly X (|X| < 1).

    The coarse part has multiples of 2^-bits, the fine part multiples of 2^-2bits.
    """
    coarse = (X * 2.0**bits).round_().mul_(2.0**-bits)
    fine = (X - coarse).mul_(2.0 ** (2 * bits)).round_().mul_(2.0 ** (-2 * bits))
    return coarse, fine


def _of_pairs(values: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """Return the sums of the values (N,) of each point in `at` (P,) and of every point, (P, N)."""
    return values[at][:, None] + values


def folded_sum(values: torch.Tensor) -> torch.Tensor:
    """Return the sum over the last axis, and overwrite the values. The second half of the values is added to the first
    half, again and again, until one value is left.

    So the order of additions does not depend on the other axes, the processor or the number of threads.
    """
    while (length := values.shape[-1]) > 1:
        half = (length + 1) // 2
        values[..., : length - half].add_(values[..., half:])
        values = values[..., :half]
    return values[..., 0].clone()  # a view would keep all values in memory


def _power_of_two_above(values: torch.Tensor) -> torch.Tensor:
    """Return for each of `values` >= 0 the smallest power of two that is larger; 1 for the value 0."""
    return torch.where(values > 0, values / torch.frexp(values).mantissa, 1.0)

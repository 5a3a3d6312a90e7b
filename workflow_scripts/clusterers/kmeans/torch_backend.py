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
SETTLED_AT_ONCE = 2**22
"""Largest number of differences of coordinates that are in memory at once when `_nearest` decides labels."""


class TorchBackend:
    """Run Lloyd's iterations of a batch of restarts with two matrix products for each iteration.

    The first product, in `dtype`, gives the score x . c - |c|^2 / 2 of each point x and centre c. The nearest centre of
    a point has the highest score. If the two highest scores are so close that rounding could have changed their order,
    distances in double precision decide. The second product is exact. It gives the sum of the points of each cluster,
    and their number. Restarts that have converged take no part in later iterations.
    """

    def __init__(self, problem: Problem, dtype: DTypeLike | None, device: str, max_memory: int) -> None:
        precision = dtype or (np.float64 if device == "cpu" else np.float32)
        self._dtype = torch.float32 if np.dtype(precision) == np.float32 else torch.float64
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
        self._norms = self._X.norm(dim=1)
        self._slices = _split(X, (MANTISSA - math.ceil(math.log2(4 * d)) - 1) // 2)
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
        a, b = self._slices
        at = points.reshape(-1)
        total = _expanded(a, a, at)
        total += _expanded(torch.cat([a, b], dim=1), torch.cat([b, a], dim=1), at)
        total += _expanded(b, b, at)
        return total.clamp_(min=0).view(*points.shape, -1)

    def _assign(self, centers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, int]:
        """Assign all points to their nearest centres (R, k, d).

        Return the labels (R, N), the sums (R, k, d) and numbers (R, k) of the points of each cluster, and how many
        labels were decided in double precision.
        """
        restarts, k, d = centers.shape
        squared_norms = _folded_sum(centers**2)
        biased = torch.cat([centers, -0.5 * squared_norms[..., None]], dim=2).to(self._dtype)
        onehot = (biased.view(-1, d + 1) @ self._scored.T).view(restarts, k, -1)
        onehot = onehot.ge_((onehot.amax(1) - self._rounding(squared_norms))[:, None])
        restart, point = (onehot.sum(1) > 1).nonzero(as_tuple=True)
        step = max(1, SETTLED_AT_ONCE // (k * d))
        for r, i in zip(restart.split(step), point.split(step), strict=True):
            onehot[r, :, i] = self._nearest(centers, r, i)
        sums = onehot.view(restarts * k, -1).double() @ self._summands
        sums, counts = sums[:, :d] + sums[:, d:-1], sums[:, -1]
        labels = torch.arange(k, dtype=self._dtype, device=self._device) @ onehot
        return labels.to(torch.int32), sums.view(restarts, k, d), counts.view(restarts, k), len(restart)

    def _rounding(self, squared_norms: torch.Tensor) -> torch.Tensor:
        """Return for each point an upper bound on the difference of two scores whose order can be wrong, (R, N).

        The order can be wrong because of rounding errors. If the two highest scores of a point differ by more than the
        bound, the centre with the highest score is also the one that `_nearest` would choose. The bound is twice the
        sum of the rounding errors that two scores and two distances can have. A score is a sum of d + 1 products, added
        in any order; their factors were rounded once (Higham 2002, section 3.1).
        """
        d = self._X.shape[1]
        info = torch.finfo(self._dtype)
        center = squared_norms.amax(1, keepdim=True).sqrt()
        of_scores = 2 * (d + 4) * (info.eps * center * (self._norms + center / 2) + info.tiny)
        of_distances = (math.log2(d) + 4) * torch.finfo(torch.float64).eps * (self._norms + center) ** 2
        return (of_scores + of_distances).to(self._dtype)

    def _nearest(self, centers: torch.Tensor, restart: torch.Tensor, point: torch.Tensor) -> torch.Tensor:
        """Return the nearest centre of each of P points as a one-hot matrix (P, k); of equally near centres, the first.

        `point` (P,) are the indices of the points. `restart` (P,) are the indices of the restarts; each point is
        compared with the centres of its restart.
        """
        distance = _folded_sum((self._X[point][:, None] - centers[restart]) ** 2)
        nearest = torch.zeros_like(distance, dtype=self._dtype)
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
        done = strict | (_folded_sum(((centers - old) ** 2).flatten(1)) <= tol)
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
        distance = self._squared_gaps(centers, labels)
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
        """Return the squared distance of every point to the centre of its label, in one restart, (N,)."""
        return _folded_sum((self._X - centers[labels.long()]) ** 2)

    def _finish_labels(self, state: "_State") -> None:
        """Compute the labels for the final centres, for those restarts whose labels changed in the last iteration."""
        loose = (~state.strict).nonzero()[:, 0]
        if len(loose):
            state.labels[loose] = self._assign(state.centers[loose])[0]

    def _inertia(self, state: "_State") -> torch.Tensor:
        """Return the inertia of each restart: the sum of the squared distances to the nearest centres, (R,)."""
        pairs = zip(state.centers, state.labels, strict=True)
        return torch.stack([_folded_sum(self._squared_gaps(centers, labels)) for centers, labels in pairs])


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
    coarse = torch.round(X * 2.0**bits) * 2.0**-bits
    fine = torch.round((X - coarse) * 2.0 ** (2 * bits)) * 2.0 ** (-2 * bits)
    return coarse, fine


def _expanded(left: torch.Tensor, right: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """Return (l_i - l_p) . (r_i - r_p) for all rows i and the rows p in `at`, (P, N).

    l are the rows of `left` and r those of `right`. The result is exact for arrays of `_split`. The columns of `right`
    must be those of `left`, or those of `left` with the two halves swapped. Then l_p . r_i = l_i . r_p, so only one of
    these products is computed.
    """
    own = (left * right).sum(1)
    return own[at][:, None] + own - 2 * (left[at] @ right.T)


def _folded_sum(values: torch.Tensor) -> torch.Tensor:
    """Return the sum over the last axis. The second half of the values is added to the first half, again and again,
    until one value is left.

    So the order of additions does not depend on the other axes, the processor or the number of threads.
    """
    while (length := values.shape[-1]) > 1:
        half = (length + 1) // 2
        folded = values[..., :half].clone()
        folded[..., : length - half] += values[..., half:]
        values = folded
    return values[..., 0]


def _power_of_two_above(values: torch.Tensor) -> torch.Tensor:
    """Return for each of `values` >= 0 the smallest power of two that is larger; 1 for the value 0."""
    return torch.where(values > 0, values / torch.frexp(values).mantissa, 1.0)

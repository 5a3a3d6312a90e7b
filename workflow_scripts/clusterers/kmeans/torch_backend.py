"""All restarts of a batch at once in torch: the path for a GPU, and for a machine without a C compiler."""

import ctypes as ct

import numpy as np
import torch
from numpy.typing import DTypeLike

from workflow_scripts.clusterers.kmeans.problem import Batch, Problem, Result


class TorchBackend:
    """Batched Lloyd iterations by two matrix products each.

    Scores x . c - |c|^2 / 2 come from one product (the norm is a feature more); the row maximum turns them into the
    one-hot in place; a second product gives sums and counts. Restarts that have converged leave the batch.
    In float64 labels are the kernel's save for ties; in float32 about one restart in a thousand ends elsewhere.
    """

    def __init__(self, problem: Problem, dtype: DTypeLike | None, device: str, max_memory: int) -> None:
        precision = dtype or (np.float64 if device == "cpu" else np.float32)
        self._dtype = torch.float32 if np.dtype(precision) == np.float32 else torch.float64
        self._device = torch.device(device)
        self._budget = max_memory if self._device.type != "cpu" else min(max_memory, 2**26)
        X = torch.as_tensor(problem.X, dtype=self._dtype, device=self._device)
        self._X1 = torch.cat([X, torch.ones_like(X[:, :1])], dim=1)
        self._X = self._X1[:, :-1]
        self._squared_norms = (self._X**2).sum(1)

    def chunk(self, k: int) -> int:
        """As many as fit in the memory with their scores."""
        return max(1, self._budget // (8 * k * len(self._X)) // 2)

    def run(self, batch: Batch, stop: ct.c_int32) -> Result:
        """Run the restarts of `batch` side by side."""
        state = _State(self._start(batch), len(self._X))
        for _ in range(batch.max_iter):
            if stop.value or not len(state.active):
                break
            self._step(state, batch.tol)
        self._finish_labels(state)
        inertia = self._inertia(state).cpu().numpy()
        best = int(inertia.argmin())
        labels = state.labels.cpu().numpy()
        batch.labels[:] = labels if batch.keep_all else labels[best]
        centers = state.centers[best].double().cpu().numpy()
        return Result(inertia, state.n_iter.cpu().numpy(), state.converged.cpu().numpy(), centers, 0)

    def _start(self, batch: Batch) -> torch.Tensor:
        if batch.start_centers is not None:
            return torch.as_tensor(batch.start_centers, dtype=self._dtype, device=self._device)
        points = self._seed(batch) if batch.draws is not None else batch.start_points
        return self._X[torch.as_tensor(points, dtype=torch.int64, device=self._device)]

    def _seed(self, batch: Batch) -> torch.Tensor:
        """Greedy k-means++ for all restarts at once: the kernel's `seed`, (restarts, k) points."""
        n = len(self._X)
        draws = torch.as_tensor(batch.draws, device=self._device)
        first = (draws[:, 0] * n).long()
        chosen = [first]
        distance = self._distances(first[:, None])[:, 0]
        for start in range(1, draws.shape[1], batch.trials):
            trial = draws[:, start : start + batch.trials].contiguous()
            mass = distance.double().cumsum(1)
            candidates = torch.searchsorted(mass, trial * mass[:, -1:]).clamp_(max=n - 1)
            lowered = torch.minimum(self._distances(candidates), distance[:, None])
            best = lowered.sum(2, dtype=torch.float64).argmin(1, keepdim=True)
            distance = lowered.gather(1, best[:, :, None].expand(-1, -1, n))[:, 0]
            chosen.append(candidates.gather(1, best)[:, 0])
        return torch.stack(chosen, dim=1)

    def _distances(self, points: torch.Tensor) -> torch.Tensor:
        """Squared distances of all X to the given points (R, L), (R, L, N)."""
        cross = self._X[points] @ self._X.T
        return (self._squared_norms[points][..., None] + self._squared_norms - 2 * cross).clamp_(min=0)

    def _assign(self, centers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Labels (R, N), sums of the clusters (R, k, d) and counts (R, k)."""
        restarts, k, d = centers.shape
        biased = torch.cat([centers, -0.5 * (centers**2).sum(2, keepdim=True)], dim=2)
        onehot = (biased.view(-1, d + 1) @ self._X1.T).view(restarts, k, -1)
        onehot = onehot.eq_(onehot.amax(1, keepdim=True))
        tied = (onehot.sum((1, 2)) != onehot.shape[2]).nonzero()[:, 0]
        if len(tied):  # a tie counts once, for the first of the equal centres
            onehot[tied] *= onehot[tied].cumsum(1) == 1
        sums = (onehot.view(restarts * k, -1) @ self._X1).view(restarts, k, d + 1)
        labels = torch.arange(k, dtype=self._dtype, device=self._device) @ onehot
        return labels.to(torch.int32), sums[..., :d], sums[..., d]

    def _step(self, state: "_State", tol: float) -> None:
        """One iteration of the restarts that still run, with scikit-learn's rules for stopping."""
        active = state.active
        old = state.centers[active]
        labels, sums, counts = self._assign(old)
        for r in (counts == 0).any(1).nonzero()[:, 0].tolist():
            self._relocate(old[r], labels[r], sums[r], counts[r])
        centers = sums / counts[..., None]
        strict = (labels == state.labels[active]).all(1)
        done = strict | (((centers - old) ** 2).sum((1, 2)) <= tol)
        state.centers[active] = centers
        state.labels[active] = labels
        state.n_iter[active] += 1
        state.strict[active] = strict
        state.converged[active] = done
        state.active = active[~done]

    def _relocate(self, centers: torch.Tensor, labels: torch.Tensor, sums: torch.Tensor, counts: torch.Tensor) -> None:
        """Fill one restart's empty clusters with the points farthest from their centres, as scikit-learn does."""
        distance = ((self._X - centers[labels.long()]) ** 2).sum(1)
        empty = (counts == 0).nonzero()[:, 0]
        if distance.max() > 0:
            for j, i in zip(empty.tolist(), distance.topk(len(empty)).indices.tolist(), strict=True):
                donor = int(labels[i])
                sums[donor] -= self._X[i]
                counts[donor] -= 1
                sums[j] = self._X[i]
                counts[j] = 1
        empty = counts == 0
        largest = counts.argmax()
        sums[empty] = sums[largest]
        counts[empty] = counts[largest]

    def _finish_labels(self, state: "_State") -> None:
        """Labels that belong to the last centres, where the restart did not end on unchanged ones."""
        loose = (~state.strict).nonzero()[:, 0]
        if len(loose):
            state.labels[loose] = self._assign(state.centers[loose])[0]

    def _inertia(self, state: "_State") -> torch.Tensor:
        """Sums of squared distances in double precision, (R,)."""
        return torch.stack(
            [
                ((self._X - centers[labels.long()]).double() ** 2).sum()
                for centers, labels in zip(state.centers, state.labels, strict=True)
            ]
        )


class _State:
    """The restarts of one batch."""

    def __init__(self, centers: torch.Tensor, points: int) -> None:
        restarts, device = len(centers), centers.device
        self.centers = centers
        self.labels = torch.full((restarts, points), -1, dtype=torch.int32, device=device)
        self.n_iter = torch.zeros(restarts, dtype=torch.int32, device=device)
        self.strict = torch.zeros(restarts, dtype=torch.bool, device=device)
        self.converged = torch.zeros(restarts, dtype=torch.bool, device=device)
        self.active = torch.arange(restarts, device=device)

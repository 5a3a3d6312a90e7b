"""Time and peak memory of `fit_pca` + `transform` on an HDF5 store against scikit-learn; prints a Markdown table.

Every case runs in a process of its own, with one BLAS thread; the peak is that of the process less what it held
before, from Linux's /proc. scikit-learn's full SVD is left out where it would take many minutes.
Run: python -m tests.benchmarks.bench_pca
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import h5py
import numpy as np
from sklearn.decomposition import PCA, IncrementalPCA
from threadpoolctl import threadpool_limits

from workflow_scripts.reduce.pca import MAX_EXACT, fit_pca

SHAPES = [
    (2000, 512, None),
    (1800, 4096, None),
    (1800, 25_088, None),
    (20_000, 512, None),
    (200_000, 512, None),
    (9000, 12_000, 50),
]


def write_features(path: Path, n: int, d: int) -> None:
    """Correlated float32 features with a falling spectrum, written in chunks."""
    rng = np.random.default_rng(0)
    spectrum = np.arange(1, min(n, d, 2000) + 1) ** -0.5
    basis = rng.standard_normal((len(spectrum), d), dtype=np.float32) * spectrum[:, None].astype(np.float32)
    with h5py.File(path, "w") as file:
        store = file.create_dataset("features", (n, d), dtype=np.float32)
        for start in range(0, n, 1000):
            rows = min(1000, n - start)
            store[start : start + rows] = rng.standard_normal((rows, len(spectrum)), dtype=np.float32) @ basis


def ours(X: h5py.Dataset, max_components: int | None) -> None:
    """Fit, then project in chunks, as a job that writes a store does."""
    for _ in fit_pca(X, max_components=max_components).transform(X):
        pass


def full_svd(X: h5py.Dataset, max_components: int | None) -> None:
    """scikit-learn's exact PCA of the whole matrix in float64."""
    PCA(max_components, svd_solver="full").fit_transform(X[:].astype(np.float64))


def automatic(X: h5py.Dataset, max_components: int | None) -> None:
    """scikit-learn's own choice of solver, in the store's float32."""
    PCA(max_components, random_state=0).fit_transform(X[:])


def incremental(X: h5py.Dataset, max_components: int | None) -> None:
    """scikit-learn's streaming PCA, which is approximate, of 50 components."""
    model = IncrementalPCA(max_components or 50)
    for start in range(0, len(X), 1000):
        model.partial_fit(X[start : start + 1000])
    for start in range(0, len(X), 1000):
        model.transform(X[start : start + 1000])


METHODS: dict[str, Callable[[h5py.Dataset, int | None], None]] = {
    function.__name__: function for function in (ours, full_svd, automatic, incremental)
}


def peak_mib() -> float:
    """Largest resident memory of this process so far; unlike `ru_maxrss` it does not inherit the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def measure(path: str, method: str, max_components: int | None) -> None:
    """Run one case in this process and print its seconds and MiB."""
    before = peak_mib()
    with h5py.File(path, "r", locking=False) as file, threadpool_limits(1):
        start = perf_counter()
        METHODS[method](file["features"], max_components)
        print(json.dumps([perf_counter() - start, peak_mib() - before]))


def main() -> None:
    """Print the table."""
    print("| features | components | " + " | ".join(f"{name}: s, MiB" for name in METHODS) + " |")
    print("|---" * (2 + len(METHODS)) + "|")
    for n, d, max_components in SHAPES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "features.h5"
            write_features(path, n, d)
            cells = []
            for method in METHODS:
                if method == "full_svd" and min(n, d) > MAX_EXACT:
                    cells.append("-")
                    continue
                case = json.dumps([str(path), method, max_components])
                command = [sys.executable, "-m", "tests.benchmarks.bench_pca", case]
                seconds, mib = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
                cells.append(f"{seconds:.2f}, {mib:.0f}")
        print(f"| {n} x {d} | {max_components or 'all'} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    measure(*json.loads(sys.argv[1])) if len(sys.argv) > 1 else main()

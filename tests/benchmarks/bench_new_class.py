"""Would a model notice a class that it has never seen, which score shows it best, and after how many images?

`python -m tests.benchmarks.bench_new_class RESULTS... [IMAGES...]` prints Markdown; IMAGES are folders of images whose
brightness and sharpness are changed.

RESULTS are folders of results, each of a labelled data set, with `manifest.csv` and the features
`features/clahe/squeezenet/fire{5,7,9}_avg.h5` (`snakemake results/NAME/features/clahe/squeezenet/fire9_avg.h5`). Each
class is hidden in turn (of more than 12 classes every third). Two thirds of the other images make the model, k-means on
20 whitened components with a cluster for each class; the last third are known images, which the model has not seen.

The batch test is the one of `snakemake monitor`. The second table has its false alarms among `BATCHES` batches of ten
drawn from the known images; the third those of one batch for each of `PARTITIONS` random partitions of all images into
model, known images and batch; the fourth how much the rate differs between models, by simulation; the fifth how it is
when images come in series.
"""

import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageFilter
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from scipy.stats import binomtest
from sklearn.cluster import KMeans
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from workflow_scripts.backbones.joined import scale_of
from workflow_scripts.intake.quality import measure
from workflow_scripts.io.store import reading
from workflow_scripts.metrics.evenly import evenly
from workflow_scripts.models.batch_tests import novelty_p_value, shift_p_value
from workflow_scripts.models.novelty import novelty, outlier_threshold, parted, spreads

LAYERS = ("fire5_avg", "fire7_avg", "fire9_avg")
JOINED = "shipped, of the joined layer [fire5_avg+fire7_avg+fire9_avg]"
SHIPPED = "distance to 10 neighbours / theirs (shipped)"
RATE = 0.01
BATCHES, PARTITIONS = 200, 2000
SERIES, PER_BATCH, SERIES_BATCHES = 10, 4, 60
DRIFTING = 360
SIZES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30)
EACH_FIFTH = (5, 10, 15, 20, 25, 30, 40, 50)
Layers = dict[str, np.ndarray]


def read(results: Path) -> tuple[Layers, np.ndarray, np.ndarray]:
    """The features (N, d) of each layer, the labels (N,) and the paths (N,)."""
    layers = {}
    for layer in LAYERS:
        with reading(results / "features/clahe/squeezenet" / f"{layer}.h5") as file:
            layers[layer] = file["features"][:].astype(np.float64)
    manifest = pd.read_csv(results / "manifest.csv", dtype=str)
    return layers, manifest["label"].to_numpy(), manifest["path"].to_numpy()


def relative(fitted: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return the novelty that models use."""
    return novelty(new, fitted, spreads(fitted))


def to_nearest(fitted: np.ndarray, new: np.ndarray, n: int = 5) -> np.ndarray:
    """Return the mean distance to the n nearest images."""
    return np.sort(cdist(new, fitted), axis=1)[:, :n].mean(axis=1)


def mahalanobis(fitted: np.ndarray, new: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Distances (n, k) to the means, by the pooled covariance within clusters (Ledoit & Wolf 2004)."""
    means = np.stack([fitted[clusters == cluster].mean(axis=0) for cluster in np.unique(clusters)])
    shrunk = LedoitWolf(assume_centered=True).fit(fitted - means[clusters])
    root = np.linalg.cholesky(shrunk.precision_)
    return cdist(new @ root, means @ root)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def scores(layers: Layers, fit: np.ndarray, new: np.ndarray, k: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the values of each score for the images `new`, from a model of the images `fit`."""
    fitted, others = layers["fire9_avg"][fit], layers["fire9_avg"][new]
    clusters = KMeans(k, n_init=20, random_state=0).fit_predict(PCA(20, whiten=True).fit_transform(fitted))
    groups = [fitted[clusters == cluster] for cluster in range(k)]
    yield "nearest cluster mean (before)", cdist(others, [group.mean(axis=0) for group in groups]).min(axis=1)
    yield "5 nearest neighbours", to_nearest(fitted, others)
    large = [group for group in groups if len(group) > 6]
    inner = [np.median(np.sort(cdist(group, group), axis=1)[:, 1:6].mean(axis=1)) for group in large]
    by_cluster = [to_nearest(group, others) / scale for group, scale in zip(large, inner, strict=True)]
    yield "5 nearest neighbours by cluster, in its units", np.min(by_cluster, axis=0)
    yield "Mahalanobis by cluster", mahalanobis(fitted, others, clusters).min(axis=1)
    energies = [
        -logsumexp(-(mahalanobis(of_layer[fit], of_layer[new], clusters) ** 2) / 2, axis=1) / of_layer.shape[1]
        for of_layer in layers.values()
    ]
    yield "energy of three layers", np.sum(energies, axis=0)
    yield SHIPPED, relative(fitted, others)
    logs = [np.log(relative(unit(of_layer[fit]), unit(of_layer[new]))) for of_layer in layers.values()]
    yield "the same of three layers, vectors of length 1", np.sum(logs, axis=0)
    joined = np.hstack([of_layer * scale_of(of_layer[fit]) for of_layer in layers.values()])
    yield JOINED, relative(joined[fit], joined[new])


def noticed(known: np.ndarray, new: np.ndarray, n: int, n_new: int, rng: np.random.Generator) -> float:
    """The share of batches of `n` images, `n_new` of them new, that are noticed at the rate `RATE`."""
    hits = 0
    for _ in range(BATCHES):
        mixed = rng.permutation(len(known))[: n - n_new]
        batch = np.concatenate([known[mixed], rng.choice(new, n_new, replace=False)])
        hits += novelty_p_value(np.delete(known, mixed), batch) <= RATE
    return hits / BATCHES


def until(known: np.ndarray, new: np.ndarray, each: int, rng: np.random.Generator) -> str:
    """The smallest batch, one of `each` images of it new, that is noticed in half of all cases."""
    sizes = [n for n in (SIZES if each == 1 else EACH_FIFTH) if n // each <= len(new) and n < len(known)]
    found = (n for n in sizes if noticed(known, new, n, n // each, rng) >= 0.5)
    return str(next(found, f"> {sizes[-1]}"))


def hidden(labels: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield each hidden class, the images of the model, the known images, and those of the class."""
    classes = np.unique(labels)
    for name in classes if len(classes) <= 12 else classes[::3]:
        rest = np.random.default_rng(0).permutation(np.flatnonzero(labels != name))
        fit, known = np.split(rest, [2 * len(rest) // 3])
        yield name, fit, known, np.flatnonzero(labels == name)


def drill(name: str, layers: Layers, labels: np.ndarray) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The ROC area of every score and class, and what the shipped score notices."""
    areas, rows = [], []
    rng = np.random.default_rng(0)
    k = max(2, len(np.unique(labels)) - 1)
    for label, fit, known, new in hidden(labels):
        truth = np.arange(len(known) + len(new)) >= len(known)
        for score, values in scores(layers, fit, np.concatenate([known, new]), k):
            areas.append({"set": name, "score": score, "area": roc_auc_score(truth, values)})
            if score not in (SHIPPED, JOINED):
                continue
            old, unseen = values[~truth], values[truth]
            threshold = outlier_threshold(old, RATE)
            alarms = noticed(old, unseen, 10, 0, rng)
            rows.append({
                "score": score, "set": name, "hidden class": label, "images": len(new),
                "ROC area": f"{areas[-1]['area']:.2f}",
                "flagged": f"{(unseen > threshold).mean():.0%}",
                "until noticed": until(old, unseen, 1, rng), "one in five": until(old, unseen, 5, rng),
                "false alarms": f"{alarms:.1%}",
            })  # fmt: skip
    return areas, rows


def false_alarms(name: str, layers: Layers) -> dict[str, object]:
    """The shares of false alarms among images and batches of ten, one of each for every partition, with intervals."""
    features, rng = layers["fire9_avg"], np.random.default_rng(1)
    hits = {"an image": 0, "a batch of ten": 0}
    for _ in range(PARTITIONS):
        fit, known, batch = np.split(rng.permutation(len(features)), [2 * len(features) // 3, len(features) - 10])
        old, new = np.split(relative(features[fit], features[np.concatenate([known, batch])]), [len(known)])
        hits["an image"] += new[0] > outlier_threshold(old, RATE)
        hits["a batch of ten"] += novelty_p_value(old, new) <= RATE
    return {"set": name, "known images": len(known), **{what: interval(count) for what, count in hits.items()}}


def of_one_model(n_known: int) -> dict[str, object]:
    """How much the rate of false alarms varies between models: batches of random numbers and the same known ones."""
    rng = np.random.default_rng(2)
    rates = []
    for _ in range(200):
        known = rng.random(n_known)
        rates.append(np.mean([novelty_p_value(known, batch) <= RATE for batch in rng.random((1000, 10))]))
    low, high = np.quantile(rates, [0.05, 0.95])
    return {"known images": n_known, "mean": f"{np.mean(rates):.2%}", "nine models of ten": f"{low:.1%} to {high:.1%}"}


def in_series(name: str, layers: Layers, labels: np.ndarray, paths: np.ndarray) -> Iterator[dict[str, object]]:
    """What happens when images come in series: each `SERIES` images of a class with neighbouring names are a group.

    The model is made of half of the series of each class, the first ones or random ones. Batches are `PER_BATCH` series
    of the other half: of known classes, or of the class that is hidden from the model.
    """
    order = np.array(sorted(range(len(labels)), key=lambda row: (labels[row], _numbers(paths[row]))))
    place = pd.Series(labels[order]).groupby(labels[order]).cumcount().to_numpy()[np.argsort(order)]
    series = np.array([f"{label} {number // SERIES}" for label, number in zip(labels, place, strict=True)])
    rng = np.random.default_rng(3)
    shuffled = pd.Series(rng.permutation(np.unique(series)))
    of_class = shuffled.str.rsplit(" ", n=1).str[0]
    random = shuffled[shuffled.groupby(of_class).cumcount() < shuffled.groupby(of_class).transform("size") / 2]
    halves = {
        "first": place < pd.Series(labels).map(pd.Series(labels).value_counts()).to_numpy() / 2,
        "random": np.isin(series, random),
    }
    for (half, early), units in product(halves.items(), ("images", "groups")):
        alarms: dict[str, list[bool]] = {"known classes": [], "a hidden class": []}
        for hidden_class in np.unique(labels):
            old = np.flatnonzero(early & (labels != hidden_class))
            fit, known = parted(len(old), series[old] if units == "groups" else None)
            values = pd.Series(relative(layers["fire9_avg"][old[fit]], layers["fire9_avg"]))
            unit = series if units == "groups" else np.arange(len(series))
            for what, hits in alarms.items():
                chosen = ~early & ((labels == hidden_class) == (what == "a hidden class"))
                for _ in range(SERIES_BATCHES):
                    batch = chosen & np.isin(series, rng.choice(np.unique(series[chosen]), PER_BATCH, replace=False))
                    both = (values[rows].groupby(unit[rows]).mean().to_numpy() for rows in (old[known], batch))
                    hits.append(novelty_p_value(*both) <= RATE)
        shares = {what: f"{np.mean(hits):.1%}" for what, hits in alarms.items()}
        yield {"set": name, "half": half, "compared": units, **shares}


def _numbers(path: str) -> list[object]:
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path)]


def drifts(images: Path) -> Iterator[dict[str, object]]:
    """After how many images that are darker or blurred the tests of brightness and sharpness raise an alarm."""
    files = sorted(file for file in images.rglob("*") if file.is_file())
    files = [files[row] for row in evenly(len(files), min(len(files), DRIFTING))]
    pixels = [Image.open(file).convert("L") for file in files]
    changes: dict[str, Callable[[Image.Image], Image.Image]] = {
        f"{share:.0%} darker": partial(_darker, share=share) for share in (0.05, 0.1, 0.2, 0.4)
    }
    changes |= {f"blurred by {radius} px": partial(_blurred, radius=radius) for radius in (0.3, 0.5, 0.7, 1.0)}
    before = [measure(np.asarray(image)) for image in pixels]
    for change, function in changes.items():
        name = "brightness" if "darker" in change else "sharpness"
        old = np.array([getattr(quality, name) for quality in before])
        new = np.array([getattr(measure(np.asarray(function(image))), name) for image in pixels])
        rng = np.random.default_rng(0)
        until_noticed = str(_drift_noticed(old, new, rng))
        yield {"set": images.name, "change": change, "chart": name, "until noticed": until_noticed}


def _drift_noticed(old: np.ndarray, new: np.ndarray, rng: np.random.Generator) -> int | str:
    for n in (2, 3, 5, 8, 10, 15, 20, 30, 50, 75, 100):
        hits = 0
        for _ in range(BATCHES):
            order = rng.permutation(len(old))
            hits += shift_p_value(old[order[: len(old) // 2]], new[order[-n:]]) <= RATE
        if hits >= BATCHES / 2:
            return n
    return "> 100"


def _darker(image: Image.Image, share: float) -> Image.Image:
    return image.point(lambda value: value * (1 - share))


def _blurred(image: Image.Image, radius: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(radius))


def interval(hits: int) -> str:
    """A share of `PARTITIONS` in percent, with its exact 95 % interval (Clopper & Pearson 1934)."""
    found = binomtest(int(hits), PARTITIONS)
    low, high = found.proportion_ci(0.95)
    return f"{found.statistic:.2%} ({low:.2%} to {high:.2%})"


def markdown(table: pd.DataFrame) -> str:
    lines = [list(table.columns), ["---"] * len(table.columns), *table.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    folders = [Path(folder) for folder in sys.argv[1:]]
    sets = {folder.name: read(folder) for folder in folders if (folder / "manifest.csv").exists()}
    found = [drill(name, *of_set[:2]) for name, of_set in sets.items()]
    areas = pd.DataFrame([row for of_set, _ in found for row in of_set])
    by_score = areas.pivot_table(index="score", columns="set", values="area", sort=False).assign(
        mean=lambda table: table.mean(axis=1)
    )
    print(markdown(by_score.map("{:.3f}".format).reset_index()), "\n")
    rows = pd.DataFrame([row for _, of_set in found for row in of_set])
    for score, of_score in rows.groupby("score", sort=False):
        print(score, markdown(of_score.drop(columns="score")), sep="\n\n", end="\n\n")
    print(markdown(pd.DataFrame([false_alarms(name, layers) for name, (layers, *_) in sets.items()])), "\n")
    print(markdown(pd.DataFrame([of_one_model(n) for n in (60, 180, 600)])), "\n")
    print(markdown(pd.DataFrame([row for name, of_set in sets.items() for row in in_series(name, *of_set)])))
    drifting = [row for images in folders if images.name not in sets for row in drifts(images)]
    if drifting:
        print("\n" + markdown(pd.DataFrame(drifting)))

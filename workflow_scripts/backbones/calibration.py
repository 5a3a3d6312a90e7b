"""Predictions of a fine-tuned network for all images, with probabilities that are right as often as they say."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

SURE = 0.95
"""Probability from which a prediction becomes the label of an image without one."""
BINS = 10
"""Largest number of bins of a reliability table."""
IN_BIN = 20
"""Smallest number of images of a bin, if there are so many: of fewer, the share that is right says little."""
HOTTEST = 20.0
"""Largest temperature, and one over the smallest."""


def temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """Return the temperature that class scores (n, k) are divided by so that the targets (n,) are most probable.

    Temperature scaling (Guo, Pleiss, Sun & Weinberger 2017) changes no prediction, only how sure it is.
    """

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(scaled[np.arange(len(targets)), targets].mean())

    bounds = (-np.log(HOTTEST), np.log(HOTTEST))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def predictions(
    logits: np.ndarray, labels: Sequence[str], classes: Sequence[str], held_out: np.ndarray, trained_on: np.ndarray
) -> pd.DataFrame:
    """Return what a network predicts for every image, with probabilities that are calibrated on the held-out ones.

    Parameters
    ----------
    logits : (N, k) class scores.
    labels : N str, "" for none.
    classes : names of the k classes.
    held_out, trained_on : indices of images, integers; both have labels.

    Returns
    -------
    DataFrame with N rows: `label` (the given label; for other images the prediction if its probability is at least
    `SURE`, otherwise ""), `predicted`, `probability`, and `known` (`trained on`, `held out` or `no label`).
    """
    numbers = {name: number for number, name in enumerate(classes)}
    targets = np.array([numbers[labels[row]] for row in held_out])
    shares = softmax(logits / temperature(logits[held_out], targets), axis=1)
    predicted = np.array(classes, dtype=object)[shares.argmax(axis=1)]
    given = np.array(labels, dtype=object)
    known = np.full(len(labels), "no label", dtype=object)
    known[held_out], known[trained_on] = "held out", "trained on"
    sure = np.where(shares.max(axis=1) >= SURE, predicted, "")
    label = np.where(given == "", sure, given)
    return pd.DataFrame({"label": label, "predicted": predicted, "probability": shares.max(axis=1), "known": known})


def reliability(predicted: pd.DataFrame) -> pd.DataFrame:
    """Return how often the predictions for held-out images are right; calibrated ones are so as often as they say.

    `predicted` is from `predictions`. The bins hold equally many images, in the order of their probabilities.

    Returns
    -------
    DataFrame with a row per bin: `images`, `probability` (mean) and `accuracy`.
    """
    held_out = predicted[predicted["known"] == "held out"].sort_values("probability", kind="stable")
    right = held_out["label"] == held_out["predicted"]
    bins = np.array_split(np.arange(len(held_out)), min(BINS, max(1, len(held_out) // IN_BIN)))
    columns = {
        "images": [len(rows) for rows in bins],
        "probability": [held_out["probability"].iloc[rows].mean() for rows in bins],
        "accuracy": [right.iloc[rows].mean() for rows in bins],
    }
    return pd.DataFrame(columns)


def in_words(predicted: pd.DataFrame, reliable: pd.DataFrame) -> str:
    """Return what the end of a run says of `predictions` and their `reliability`."""
    n, right = reliable["images"].sum(), np.average(reliable["accuracy"], weights=reliable["images"])
    text = f"right for {100 * right:.1f} % of {n} held-out images, "
    if n < 2 * IN_BIN:
        text += f"which are too few for a calibration error (it needs {2 * IN_BIN})"
    else:
        error = np.average((reliable["probability"] - reliable["accuracy"]).abs(), weights=reliable["images"])
        text += f"calibration error {error:.3f}"
    new = predicted[predicted["known"] == "no label"]
    if len(new):
        text += f"; predicts {(new['label'] != '').sum()} of {len(new)} images without a label with {SURE} or more"
    return text

"""Predict the classes of all images with a fine-tuned network, and calibrate the probabilities.

Calibrated means that predictions are right as often as their probabilities say: those of probability 0.8 in 80 % of the
cases.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

SURE = 0.95
"""Smallest probability with which a prediction becomes the label of an image that has none."""
BINS = 10
"""Largest number of bins of a reliability table."""
IN_BIN = 20
"""Smallest number of images in a bin, unless there are fewer in all. The accuracy of fewer images would say little."""
HOTTEST = 20.0
"""Largest temperature; the smallest one is 1 / `HOTTEST`."""


def temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """Return the number by which class scores must be divided so that their probabilities suit the true classes best.

    `logits` (n, k) are the class scores, and `targets` (n,) the numbers of the true classes. The number minimises the
    mean of -log(probability of the true class), which is temperature scaling (Guo, Pleiss, Sun & Weinberger 2017). It
    changes the probabilities of the classes, but not which class is predicted.
    """

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(scaled[np.arange(len(targets)), targets].mean())

    bounds = (-np.log(HOTTEST), np.log(HOTTEST))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def predictions(
    logits: np.ndarray, labels: Sequence[str], classes: Sequence[str], held_out: np.ndarray, trained_on: np.ndarray
) -> pd.DataFrame:
    """Return what a network predicts for every image, with probabilities that are calibrated on the held-out images.

    Parameters
    ----------
    logits : (N, k) class scores.
    labels : N str, "" for images without a label.
    classes : names of the k classes.
    held_out, trained_on :
        row numbers (n,) of the held-out images, and of the images that the network was trained on. All of them have
        labels.

    Returns
    -------
    DataFrame with N rows: `label` (the given label; for an image without a label, the predicted class if its
        probability is at least `SURE`, otherwise ""), `predicted`, `probability`, and `known` (`trained on`, `held out`
        or `no label`).
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
    """Return a table that compares the probabilities of predictions with how often the predictions are right.

    `predicted` is the result of `predictions`, of which only the held-out images are used. They are sorted by
    probability and divided into bins of equal size. If the probabilities are calibrated, the last two columns agree.

    Returns
    -------
    DataFrame with a row per bin: `images` (their number), `probability` (mean) and `accuracy` (the share that is
        right).
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
    """Return a sentence for the end of a run.

    It says how often predictions are right, how well they are calibrated, and how many images without a label have a
    sure prediction. `predicted` is the result of `predictions`, and `reliable` that of `reliability`.
    """
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

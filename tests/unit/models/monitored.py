"""Images with random numbers in all charts, and the control chart of such images."""

import numpy as np
import pandas as pd

from workflow_scripts.models.batches import in_batches
from workflow_scripts.models.control_chart import control_chart
from workflow_scripts.models.monitored_images import CHARTS

SIZE, RATE = 10, 0.01


def made_images(n, seed, **shifted):
    rng = np.random.default_rng(seed)
    values = {name: rng.normal(size=n) + shifted.get(name, 0) for name in CHARTS}
    return pd.DataFrame({"path": [f"{seed}_{i}.png" for i in range(n)], "outlier": False, **values})


def chart_of(images, known, size, rate):
    return control_chart(in_batches(images, size), known, size, rate)


KNOWN = made_images(150, 0)

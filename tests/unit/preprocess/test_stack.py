"""The store of preprocessed images: how many processes preprocess large ones at once."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from workflow_scripts.preprocess import stack
from workflow_scripts.settings.preprocess import Preprocess


@pytest.mark.parametrize(("memory", "n_processes"), [(8e9, 8), (60 * 30 * 20 * 3, 3), (1, 1)])
def test_fewer_processes_preprocess_larger_images(tmp_path, monkeypatch, memory, n_processes):
    sizes = {"small.png": (10, 10), "large.png": (20, 30)}
    for name, size in sizes.items():
        Image.fromarray(np.full(size, 100, np.uint8)).save(tmp_path / name)
    rows = [{"image_id": name, "path": name, "height": size[0], "width": size[1]} for name, size in sizes.items()]
    pd.DataFrame(rows).to_csv(tmp_path / "images.csv", index=False)
    asked = []

    def preprocess_all(images, steps, *, workers, **more):
        asked.append(workers)
        return iter(np.zeros((2, 4, 4), np.uint8))

    monkeypatch.setattr(stack, "preprocess_all", preprocess_all)
    monkeypatch.setattr("workflow_scripts.io.memory.IMAGES_MEMORY", memory)
    stack.write_stack(
        str(tmp_path / "stack.h5"),
        **{"table": str(tmp_path / "images.csv"), "folder": str(tmp_path), "max_pixels": 10**6, "steps": []},
        **{"code": "", "workers": 8, "progress": lambda done, total: None},
    )
    assert asked == [n_processes]


@pytest.mark.parametrize(
    ("sizes", "fit", "said"),
    [
        (
            [(16, 20), (224, 224)],
            "squeeze",
            "resize to 224 x 224 enlarges 1 of 2 images more than 4 times, up to 11.2 times (0.png)",
        ),
        ([(16, 100), (56, 56)], "pad", None),
        (
            [(16, 100), (56, 56)],
            "crop",
            "resize to 224 x 224 enlarges 1 of 2 images more than 4 times, up to 14 times (0.png)",
        ),
    ],
)
def test_images_that_are_mostly_interpolated_are_counted(sizes, fit, said):
    rows = [{"path": f"{row}.png", "height": str(high), "width": str(wide)} for row, (high, wide) in enumerate(sizes)]
    steps = Preprocess.model_validate(["grey", {"resize": {"size": [224, 224], "fit": fit}}]).dump()["steps"]
    found = stack.enlargement(pd.DataFrame(rows), steps)
    assert found is None if said is None else found.startswith(said)
    assert stack.enlargement(pd.DataFrame(rows), [{"step": "centre_crop", "size": [10, 10]}]) is None

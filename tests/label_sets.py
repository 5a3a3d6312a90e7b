"""Four sets of labels of the embedded images, as groups that share a collection publish them (Coronica 2018, 2.2).

python -m tests.label_sets FOLDER
"""

import csv
import shutil
import sys
from pathlib import Path

import numpy as np

from workflow_scripts.intake.embedded import write_embedded

STONES = ("brick", "gravel", "moon")


def write_label_sets(folder: Path) -> None:
    """Write a first version with two thirds of the files, coarse classes, a set with files in two classes, and a table.

    The table `second_person.csv` has other labels than the folders for one image of ten.
    """
    source = folder / "embedded"
    write_embedded(source)
    files = sorted(path.relative_to(source) for path in source.glob("*/*.png"))
    names = sorted({path.parts[0] for path in files})
    rng = np.random.default_rng(0)
    for number, path in enumerate(files):
        name = path.parts[0]
        if number % 3:
            _copy(source / path, folder / "first_version" / name / f"{number}.png")
        _copy(source / path, folder / "coarse" / ("stone" if name in STONES else "other") / path.name)
        _copy(source / path, folder / "two_classes" / name / path.name)
        if name == "gravel" and number % 2:
            _copy(source / path, folder / "two_classes" / "brick" / path.name)
    with open(folder / "second_person.csv", "w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["path", "label"])
        rows.writerows([path, rng.choice(names) if rng.random() < 0.1 else path.parts[0]] for path in files)
    shutil.rmtree(source)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


if __name__ == "__main__":
    write_label_sets(Path(sys.argv[1]))

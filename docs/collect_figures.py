"""Collect a small image of each kind of figure from runs, with its YAML and its table's columns, for the reference.

    python docs/collect_figures.py CONFIG RESULTS [CONFIG RESULTS ...]

If two runs have a figure of the same kind, the first one is used. Kinds that no run has made keep what they
have, so a new kind needs a run of its own figure only.
"""

import sys
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from PIL import Image

DOCS = Path(__file__).parent
LARGEST = 60_000
"""Largest size of an image in bytes."""


def figures_of(config: dict[str, Any], results: Path) -> dict[str, tuple[Path, Path, str]]:
    """Return the image, the table and the YAML of the first figure of each kind."""
    first: dict[str, tuple[Path, Path, str]] = {}
    for study, settings in config["studies"].items():
        for name, figure in settings.get("figures", {}).items():
            own = {key: settings[key] for key in ("baseline", "vary", "design", "cross_validation") if key in settings}
            text = as_yaml({"studies": {study: {**own, "figures": {name: figure}}}})
            paths = results / f"figures/{study}/{name}.png", results / f"tables/{study}/{name}.parquet"
            first.setdefault(figure["kind"], (*paths, text))
    if reproduction := config.get("reproduction"):
        paths = results / "figures/reproduction.png", results / "tables/reproduction.parquet"
        first["reproduction"] = (*paths, as_yaml({"reproduction": reproduction}))
    return first


def as_yaml(config: dict[str, Any]) -> str:
    """Return YAML with the innermost maps on one line."""
    return yaml.safe_dump(config, sort_keys=False, default_flow_style=None, width=100)


def shrink(source: Path, target: Path) -> None:
    """Write an image as a PNG with a palette, smaller and with fewer colours until it is below `LARGEST` bytes."""
    image = Image.open(source).convert("RGB")
    for colours, share in ((128, 0.75), (64, 0.75), (32, 0.75), (32, 0.6), (32, 0.5), (24, 0.4), (16, 0.35)):
        small = image.resize([round(side * share) for side in image.size], Image.Resampling.LANCZOS)
        small.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(target, optimize=True)
        if target.stat().st_size < LARGEST:
            return
    raise SystemExit(f"{source}: still above {LARGEST} bytes")


def main(arguments: list[str]) -> None:
    """Write docs/images/figures/*.png and docs/reference/figures.yaml."""
    file, described = DOCS / "reference" / "figures.yaml", dict[str, dict[str, Any]]()
    for config, results in zip(arguments[::2], arguments[1::2], strict=True):
        for kind, (image, table, text) in figures_of(yaml.safe_load(Path(config).read_text()), Path(results)).items():
            if kind not in described and image.exists():
                shrink(image, DOCS / "images" / "figures" / f"{kind}.png")
                described[kind] = {"yaml": text, "columns": list(pd.read_parquet(table).columns)}
    head = "# Written by docs/collect_figures.py.\n"
    kept = yaml.safe_load(file.read_text())
    file.write_text(head + yaml.safe_dump(dict(sorted((kept | described).items())), width=120))


if __name__ == "__main__":
    main(sys.argv[1:])

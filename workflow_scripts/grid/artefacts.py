"""Declare every kind of file that the workflow makes: its path, its rule, a description, and which files a
configuration needs.

Rules, prune, the plan and the page `results/README.md` all use these declarations.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from string import Formatter
from typing import overload

from workflow_scripts.grid import wildcards
from workflow_scripts.grid.axes import EVERYTHING, FEATURES_THEMSELVES, PARTS, parts_of
from workflow_scripts.grid.cells import Cell
from workflow_scripts.grid.expand import Grid
from workflow_scripts.grid.wildcards import Wildcards

Named = Callable[[Grid], Iterable[Wildcards]]
ENDING = re.compile(r"\.\w+$")


@dataclass(frozen=True)
class Artefact:
    """A kind of file that the workflow makes.

    Parameters
    ----------
    path : the path below the data set's folder, with wildcards.
    made_by : the name of the rule that makes the files. Features and shards are made by several rules, one for each
        forward pass of a backbone; their names begin with `made_by`.
    line : a description for users.
    named : a function that returns, for a grid, the wildcards of every file of this kind that its configuration uses.
        Prune deletes all other files of this kind. None if prune never deletes files of this kind.
    beside : the endings of further files that the same job writes. `path` has the ending of the file that other jobs
        read.
    reported : the endings of the files that the report shows.
    is_temporary : whether Snakemake deletes the files when no job needs them any more.
    """

    path: str
    made_by: str
    line: str
    named: Named | None = None
    beside: tuple[str, ...] = ()
    reported: tuple[str, ...] = ()
    is_temporary: bool = False

    @property
    def stem(self) -> str:
        """Return the path without its ending."""
        return ENDING.sub("", self.path)

    @property
    def endings(self) -> tuple[str, ...]:
        """Return the endings of all files that one job writes: the ending of `path` ("" for a folder), then those in
        `beside`."""
        return self.path.removeprefix(self.stem), *self.beside

    @property
    def axes(self) -> tuple[str, ...]:
        """Return the axes of the grid that the artefact depends on."""
        names = {name for _, name, _, _ in Formatter().parse(self.path) if name}
        return tuple(axis for part, axes in PARTS.items() for axis in axes if names & {part, axis})

    @property
    def pattern(self) -> re.Pattern[str]:
        """Return a regular expression that matches the paths of the artefact's files. The paths are relative to the
        data set's folder."""
        stem = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(self.stem))
        return re.compile(f"{stem}(?:{'|'.join(map(re.escape, self.endings))})")

    @property
    def fixed_length(self) -> int:
        """Return the number of characters of the longest path of the artefact, without the wildcards' values."""
        return len(re.sub(r"{\w+}", "", self.stem)) + max(map(len, self.endings))

    @property
    def is_pruned(self) -> bool:
        """Return whether the command `prune` deletes files of this kind if no configuration uses them."""
        return self.named is not None

    @overload
    def __get__(self, layout: None, owner: type) -> "Artefact": ...

    @overload
    def __get__(self, layout: "Layout", owner: type) -> str: ...

    def __get__(self, layout: "Layout | None", owner: type) -> "Artefact | str":
        return self if layout is None else f"{layout.root}/{self.path}"


_OF_FEATURES = "/".join(f"{{{part}}}" for part in parts_of("features"))
_OF_CELL = "/".join(f"{{{part}}}" for part in parts_of("clusters"))


class Layout:
    """The paths of the artefacts of a data set, with wildcards.

    Each artefact is an attribute. In the class, it is the `Artefact`; in an instance, it is the path of the artefact's
    first file.

    Parameters
    ----------
    dataset : the data set's id, see `paths.dataset_name`.
    """

    images = Artefact("images.csv", "intake", "the images of the data set: id (hash of the content), path, size, mode")
    near_duplicates = Artefact(
        "near_duplicates.csv",
        "intake",
        "pairs of images with the same pixels, or nearly the same, and their distance in bits",
    )
    formats = Artefact("formats.csv", "intake", "the number of files of each format that were taken in or rejected")
    quality = Artefact(
        "quality.csv", "intake", "brightness, contrast, sharpness and the like of each image; odd images"
    )
    set_aside = Artefact(
        "set_aside.csv",
        "intake",
        "the files left out before labels were read; for a duplicate, the path of the file that stays",
    )
    facts = Artefact(".images.facts", "intake", "facts about the files, kept for the next run of intake")
    scale_bars = Artefact(
        "scale_bars.csv",
        "scale_bars",
        "the scale of each micrograph, or why it could not be read (`intake: {scale_bars: true}`)",
    )
    scales_page = Artefact(
        "scales/scales.html",
        "scales_page",
        "a page to check the scale of each micrograph beside its bar, and to correct it",
        wildcards.scaled,
    )
    scale_facts = Artefact(".scale_bars.facts", "scale_bars", "scale bars already read, kept for the next run")
    regions = Artefact(
        "regions.csv", "cut", "the tiles, boxes or pages that are the images, each with its file and its place in it"
    )
    regions_set_aside = Artefact(
        "regions_set_aside.csv", "cut", "the images without such parts, and parts that were left out"
    )
    known_labels = Artefact("known_labels.csv", "known_labels", "hashes of another data set's files, with their labels")
    known_facts = Artefact(".known_labels.facts", "known_labels", "hashes already computed, kept for the next run")
    label_matches = Artefact("label_matches.csv", "label", "which files of the other data set are images here")
    manifest = Artefact("manifest.csv", "label", "the images of the data set, with their labels")
    rejected = Artefact(
        "rejected.csv",
        "label",
        "the files left out, each with a reason and, for duplicates, whether their label differs",
    )
    intake_summary = Artefact(
        "intake/intake.csv",
        "label",
        "how many images were taken in, where their labels come from, what was refused and set aside, and why",
        wildcards.whole_run,
        reported=(".csv",),
    )
    decided_by_hand = Artefact(
        "decided_by_hand.csv",
        "label",
        "the labels and the images set aside that people's tables have; the pages export them again",
    )
    embedded = Artefact("images", "embedded", "the folder of the embedded data set")
    subset_manifest = Artefact(
        "subsets/{subset}.csv", "subset", "the images of a subset, with their rows in the manifest", wildcards.subsets
    )
    preprocessed = Artefact(
        "preprocess/{preprocess}.h5", "preprocess", "all images after preprocessing, uint8", wildcards.preprocessed
    )
    weights = Artefact(
        "weights/{backbone}.json", "fetch_weights", "the weight file of a backbone and its SHA-256", wildcards.backbones
    )
    finetuned = Artefact(
        "finetuned/{backbone}.safetensors",
        "finetune",
        "the weights of a fine-tuned network, its learning curves, its predictions, and how often they are right",
        wildcards.tuned_backbones,
        beside=(".csv", ".predictions.csv", ".calibration.csv"),
    )
    shards = Artefact(
        f"shards/{_OF_FEATURES}/{{shard}}.h5",
        "shards",
        "the features of a part of the images, until all parts are joined (`shards` of a backbone)",
        wildcards.shards,
        is_temporary=True,
    )
    features = Artefact(
        f"features/{_OF_FEATURES}.h5", "features", "a vector of features for each image, float32", wildcards.features
    )
    subset_features = Artefact(
        f"features/{_OF_FEATURES}@{{subset}}.h5",
        "select",
        "the features of a subset's images",
        wildcards.features_of_subsets,
    )
    exported = Artefact(
        f"exported/{_OF_FEATURES}.{{format}}",
        "export_features",
        "the same features as a table for other programs (`snakemake export`)",
    )
    decomposed = Artefact(
        f"decomposed/{_OF_FEATURES}/{{decomposition}}.h5",
        "decompose",
        "principal components, a t-SNE map, or the codes of an autoencoder",
        wildcards.decomposed,
    )
    clusters = Artefact(
        f"clusters/{_OF_CELL}.h5",
        "cluster",
        "labels, inertia and centres of every k, repeat and restart",
        wildcards.of_cells,
    )
    scores = Artefact(f"scores/{_OF_CELL}.parquet", "score", "metrics of each stored clustering", wildcards.of_cells)
    class_scores = Artefact(
        f"scores/{_OF_CELL}.classes.parquet", "score", "precision, recall and F1 of each class", wildcards.of_cells
    )
    validated = Artefact(
        f"validated/{_OF_CELL}/{{cross_validation}}/scores.parquet",
        "validate",
        "the metrics of each fold of a cross-validation",
        wildcards.validated,
    )
    class_validated = Artefact(
        f"validated/{_OF_CELL}/{{cross_validation}}/classes.parquet",
        "validate",
        "precision, recall and F1 of each class in each fold",
        wildcards.validated,
    )
    study_table = Artefact(
        "tables/{study}.parquet",
        "study_table",
        "all scores of a study, and those of each class",
        wildcards.studies,
        beside=(".csv", ".classes.parquet", ".classes.csv"),
        reported=(".csv", ".classes.csv"),
    )
    figure_table = Artefact(
        "tables/{study}/{figure}.parquet",
        "figure_table",
        "the numbers that a figure draws",
        wildcards.figures,
        beside=(".csv",),
    )
    figure = Artefact(
        "figures/{study}/{figure}.svg", "figure", "the figures", wildcards.figures, beside=(".png",), reported=(".svg",)
    )
    reproduction = Artefact(
        "tables/reproduction.parquet",
        "reproduction",
        "the run's numbers compared with published ones",
        wildcards.reproduction,
        beside=(".csv",),
        reported=(".csv",),
    )
    reproduction_figure = Artefact(
        "figures/reproduction.svg",
        "reproduction_figure",
        "the differences from published numbers as a figure",
        wildcards.reproduction,
        beside=(".png",),
        reported=(".svg",),
    )
    audit = Artefact(
        "audit/{study}.csv",
        "audit",
        "the images whose labels are doubtful, ranked, and a page to correct them",
        wildcards.pages("audit"),
        beside=(".html",),
        reported=(".csv", ".html"),
    )
    labelling = Artefact(
        "labelling/{study}.csv",
        "labelling",
        "the images without labels in the order in which labels help most, and a page to label them",
        wildcards.pages("labelling"),
        beside=(".html",),
        reported=(".csv", ".html"),
    )
    agreement = Artefact(
        "agreement/{study}/{at_k}.h5",
        "agreement",
        "the agreement (ARI) of every two cells of a study, at one k",
        wildcards.agreements,
    )
    consensus = Artefact(
        "consensus/{study}.h5",
        "consensus",
        "the groups on which a study's cells agree, as a store of clusters; for each image how surely it belongs to "
        "its group, its second group, and the choice that moves it",
        wildcards.consensus,
        beside=(".csv",),
        reported=(".csv",),
    )
    perturbed = Artefact(
        "perturbed/{study}/{figure}.csv",
        "perturb",
        "the groups of some images and of their rotated, brightened, blurred, compressed and cropped versions",
        wildcards.perturbed,
    )
    verdict = Artefact(
        "verdict/{study}.html",
        "verdict",
        "the answers of a study, in sentences with their numbers",
        wildcards.pages("verdict"),
        beside=(".csv",),
        reported=(".html",),
    )
    front_page = Artefact("verdict.html", "front_page", "the verdict of the first study that has a verdict")
    methods = Artefact(
        "methods/methods.md",
        "methods",
        "the methods of the run as prose for a paper, with the entries of the sources that it cites",
        wildcards.whole_run,
        beside=(".bib",),
        reported=(".md", ".bib"),
    )
    gallery = Artefact(
        "gallery/{study}.html",
        "gallery",
        "images of every cluster, on one page",
        wildcards.pages("gallery"),
        reported=(".html",),
    )
    explorer = Artefact(
        "explorer/{study}.html",
        "explorer",
        "a page with a map of all images, coloured by the clusters of any cell",
        wildcards.pages("explorer"),
    )
    model = Artefact(
        "models/{study}/model.json",
        "model",
        "the study's baseline cell as a model for new images (`snakemake models`)",
        wildcards.modelled_studies,
        beside=(".safetensors",),
    )
    model_card = Artefact(
        "models/{study}/model_card.md",
        "model_card",
        "what a model was made from, its scores, the licence of its weights, and its limits",
        wildcards.modelled_studies,
    )
    new_images = Artefact("new_images/{folder}/images.csv", "new_images", "the images of another folder")
    new_rejected = Artefact(
        "new_images/{folder}/rejected.csv", "new_images", "the files of that folder that were left out"
    )
    new_formats = Artefact("new_images/{folder}/formats.csv", "new_images", "the number of its files of each format")
    new_quality = Artefact(
        "new_images/{folder}/quality.csv", "new_images", "brightness, sharpness and the like of its images"
    )
    new_facts = Artefact(
        "new_images/{folder}/.images.facts", "new_images", "facts about its files, kept for the next run"
    )
    new_scales = Artefact(
        "new_images/{folder}/scale_bars.csv", "new_scales", "the scale of each of them, for tiles in µm"
    )
    new_scale_facts = Artefact("new_images/{folder}/.scale_bars.facts", "new_scales", "scales already read, kept")
    new_regions = Artefact(
        "new_images/{folder}/regions.csv",
        "cut_new_images",
        "their tiles or pages, if those are the images of the data set",
    )
    new_regions_set_aside = Artefact(
        "new_images/{folder}/regions_set_aside.csv", "cut_new_images", "the parts of them that were left out"
    )
    predictions = Artefact(
        "predictions/{folder}/{study}.csv",
        "name_new_images",
        "the cluster of each image of another folder (`snakemake predict --config new_images=PATH`)",
    )
    monitor = Artefact(
        "monitor/{folder}/{study}.html",
        "monitor_new_images",
        "whether batches of new images are like those of the model, and the images to look at (`snakemake monitor`)",
        beside=(".csv", ".svg", ".png"),
    )
    predicted_areas = Artefact(
        "predictions/{folder}/{study}/areas.csv",
        "map_new_images",
        "the share of the area of each cluster of tiles, over all new images and in each",
    )
    overlays = Artefact(
        "predictions/{folder}/{study}/overlays",
        "map_new_images",
        "a folder with the clusters of the tiles drawn over each new image",
    )
    report = Artefact(
        "report.html",
        "all",
        "all figures, pages and tables of studies with captions and provenance, in one HTML file, or in a zip if large",
        beside=(".zip",),
    )
    ro_crate = Artefact(
        "ro-crate-metadata.json", "all", "what all these files are, for archives and other programs (RO-Crate 1.1)"
    )
    report_files = Artefact(".report.files", "all", "the list of the files that the report shows")

    def __init__(self, dataset: str) -> None:
        self.dataset = dataset
        self.root = f"results/{dataset}"

    def of(self, pattern: str, cell: Cell, **other: str) -> str:
        """Return `pattern` with its wildcards filled in: with the values in `other`, else with those of the cell."""
        return pattern.format(**{**cell.parts, **other})

    def manifest_of(self, subset: str) -> str:
        """Return the path of the manifest (the table of images) of a subset. The subset `EVERYTHING` is all images."""
        return self.manifest if subset == EVERYTHING else self.subset_manifest.format(subset=subset)

    def points(self, cell: Cell) -> str:
        """Return the path of the store of the points that a cell clusters: a decomposition, or the features
        themselves."""
        pattern = self.features if cell.decomposition == FEATURES_THEMSELVES else self.decomposed
        return self.of(pattern, cell)

    def validated_of(self, pattern: str, cells: Iterable[Cell], cross_validation: str | None) -> list[str]:
        """Return, for each cell, `pattern` filled with the cell and `cross_validation`; an empty list if
        `cross_validation` is None."""
        return [self.of(pattern, cell, cross_validation=cross_validation) for cell in cells] if cross_validation else []

    def artefact_of(self, path: str) -> str | None:
        """Return the name of the artefact that a file belongs to, or None."""
        below = path.removeprefix(f"{self.root}/")
        return next((name for name, pattern in PATTERNS.items() if pattern.fullmatch(below)), None)

    def log(self, pattern: str) -> str:
        """Return the path of the log of the job that makes the file `pattern`."""
        return pattern.replace(self.root, f"{self.root}/logs", 1).rsplit(".", 1)[0] + ".log"

    def benchmark(self, pattern: str) -> str:
        """Return the path of the benchmark (time and memory) of the job that makes the file `pattern`."""
        return pattern.replace(self.root, f"{self.root}/benchmarks", 1).rsplit(".", 1)[0] + ".tsv"

    def named(self, grid: Grid) -> set[str]:
        """Return the paths of all files that a configuration uses, given its grid. Files that prune never deletes are
        left out."""
        return self._files(grid, lambda artefact: artefact.endings)

    def temporary(self, grid: Grid) -> set[str]:
        """Return the paths of the files of a configuration that exist only while a run needs them, given its grid."""
        return self._files(grid, lambda artefact: artefact.endings if artefact.is_temporary else ())

    def reported(self, grid: Grid) -> set[str]:
        """Return the paths of all files that the report shows for a configuration, given its grid."""
        return self._files(grid, lambda artefact: artefact.reported)

    def _files(self, grid: Grid, endings: Callable[[Artefact], tuple[str, ...]]) -> set[str]:
        return {
            f"{self.root}/{artefact.stem.format(**values)}{ending}"
            for artefact in ARTEFACTS.values()
            if artefact.named
            for values in artefact.named(grid)
            for ending in endings(artefact)
        }


ARTEFACTS: dict[str, Artefact] = {
    name: artefact for name, artefact in vars(Layout).items() if isinstance(artefact, Artefact)
}
"""Every artefact by its name, in the order of the stages."""


PATTERNS: dict[str, re.Pattern[str]] = {
    name: artefact.pattern for name, artefact in sorted(ARTEFACTS.items(), key=lambda item: -item[1].fixed_length)
}
"""Regular expressions for the files of each artefact below the data set's folder, the most specific first."""
PRUNED_FOLDERS = tuple(
    dict.fromkeys(artefact.stem.partition("/")[0] for artefact in ARTEFACTS.values() if artefact.is_pruned)
)
"""The folders, inside the data set's folder, in which prune looks for unused files."""

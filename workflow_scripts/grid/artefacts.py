"""The registry of artefacts: for each its path, its rule, the files that a configuration names, and a description.

Rules, prune, the plan and the page `results/README.md` all use these declarations.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from string import Formatter
from typing import Any, overload

from workflow_scripts.grid.axes import EVERYTHING, FEATURES_THEMSELVES, PARTS, parts_of
from workflow_scripts.grid.cells import Cell
from workflow_scripts.grid.expand import Grid
from workflow_scripts.settings.configuration import Settings

Wildcards = Mapping[str, str]
Named = Callable[[Grid], Iterable[Wildcards]]


SMALLEST_K = "smallest"
"""The k in the path of an artefact for which the smallest k of each clusterer is read."""
STAYS = None
"""The value of `Artefact.named` for an artefact that prune never deletes."""


@dataclass(frozen=True)
class Artefact:
    """A kind of file that the workflow makes.

    Parameters
    ----------
    stem : the path below the data set's folder, with wildcards, without its ending.
    endings : the endings of the files that are written together; jobs take the first as input.
    made_by : the name of the rule; the beginning of the names if there is a rule for each pass of a backbone.
    named : a function of the grid that gives the wildcards of every file that a configuration names. All other files
        are unused, and prune deletes them. `STAYS` if prune never deletes this artefact.
    line : a description for users.
    reported : the endings of the files that the report shows.
    """

    stem: str
    endings: tuple[str, ...]
    made_by: str
    named: Named | None
    line: str
    reported: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Return the path of the first file, with wildcards, below the data set's folder."""
        return self.stem + self.endings[0]

    @property
    def axes(self) -> tuple[str, ...]:
        """Return the axes of the grid that the artefact depends on."""
        wildcards = {name for _, name, _, _ in Formatter().parse(self.stem) if name}
        return tuple(axis for part, axes in PARTS.items() for axis in axes if wildcards & {part, axis})

    @property
    def is_pruned(self) -> bool:
        """Return whether prune deletes files of this kind that no configuration names."""
        return self.named is not None

    @overload
    def __get__(self, layout: None, owner: type) -> "Artefact": ...

    @overload
    def __get__(self, layout: "Layout", owner: type) -> str: ...

    def __get__(self, layout: "Layout | None", owner: type) -> "Artefact | str":
        return self if layout is None else f"{layout.root}/{self.path}"


# ------------------------------------------------------- the wildcards of the files of each artefact that a grid names


def _of_cells(grid: Grid) -> Iterator[Wildcards]:
    return (cell.parts for cell in grid.all_cells)


def _preprocessed(grid: Grid) -> Iterator[Wildcards]:
    """Yield the variants of cells, those that pages show, and those that networks are fine-tuned on."""
    settings = grid.settings
    names = {cell.preprocess for cell in grid.all_cells}
    names |= {page.images for study in settings.studies.values() for page in study.pages.values() if page.images}
    names |= {tuned.preprocess for name in _used_backbones(grid) if (tuned := settings.backbones[name].finetune)}
    return ({"preprocess": name} for name in names)


def _used_backbones(grid: Grid) -> dict[str, None]:
    return dict.fromkeys(cell.backbone for cell in grid.all_cells)


def _backbones(grid: Grid) -> Iterator[Wildcards]:
    return ({"backbone": name} for name in _used_backbones(grid) if grid.settings.backbones[name].weights)


def _tuned_backbones(grid: Grid) -> Iterator[Wildcards]:
    return ({"backbone": name} for name in _used_backbones(grid) if grid.settings.backbones[name].finetune)


def _subsets(grid: Grid) -> Iterator[Wildcards]:
    names = dict.fromkeys(cell.subset for cell in grid.all_cells if cell.subset != EVERYTHING)
    return ({"subset": name} for name in names)


def _features(grid: Grid) -> Iterator[Wildcards]:
    """Yield the features of cells, and those of all layers that the same passes make."""
    for cell in grid.all_cells:
        yield cell.parts
        for layer in grid.settings.backbones[cell.backbone].layers_beside(cell.layer):
            yield {**cell.parts, "layer": layer}


def _features_of_subsets(grid: Grid) -> Iterator[Wildcards]:
    return ({**cell.parts, "layer": cell.layer} for cell in grid.all_cells if cell.subset != EVERYTHING)


def _decomposed(grid: Grid) -> Iterator[Wildcards]:
    """Yield the decompositions of cells, those that figures show, and those that maps are computed from."""
    shown: list[tuple[Cell, str | None]] = [(cell, cell.decomposition) for cell in grid.all_cells]
    shown += ((cell, cell.decomposition) for cells in grid.maps.values() for cell in cells)
    for study, figures in grid.figures.items():
        for name, cells in figures.items():
            if coordinates := grid.settings.studies[study].figures[name].decomposition_shown:
                shown += product(cells, [coordinates])
    for cell, decomposition in shown:
        while decomposition and decomposition != FEATURES_THEMSELVES:
            yield {**cell.parts, "decomposition": decomposition}
            decomposition = grid.settings.decompositions[decomposition].source


def _validated(grid: Grid) -> Iterator[Wildcards]:
    for name, study in grid.settings.studies.items():
        if study.cross_validation:
            yield from ({**cell.parts, "cross_validation": study.cross_validation} for cell in grid.cells[name])


def _studies(grid: Grid) -> Iterator[Wildcards]:
    return ({"study": name} for name in grid.settings.studies)


def _modelled_studies(grid: Grid) -> Iterator[Wildcards]:
    return ({"study": name} for name in grid.settings.studies if grid.modelled(name))


def _figures(grid: Grid) -> Iterator[Wildcards]:
    return ({"study": study, "figure": name} for study, figures in grid.figures.items() for name in figures)


def _consensus(grid: Grid) -> Iterator[Wildcards]:
    """Yield the studies with a figure that shows their consensus, and those whose consensus a clusterer reads."""
    for name, study in grid.settings.studies.items():
        if any("consensus" in figure.sources for figure in study.figures.values()):
            yield {"study": name}
    for cell in grid.all_cells:
        if study_read := grid.settings.clusterers[cell.clusterer].study_read:
            yield {"study": study_read}


def _agreements(grid: Grid) -> Iterator[Wildcards]:
    """Yield every study and k for which a figure, or the consensus, reads how well the cells agree."""
    for name, study in grid.settings.studies.items():
        reading = [fig for fig in study.figures.values() if "agreement" in fig.sources or fig.of_trusted_cell]
        of_figures = (getattr(figure, "k", None) for figure in reading)
        yield from ({"study": name, "at_k": k_in_path(k)} for k in of_figures)
    for wildcards in _consensus(grid):
        k = grid.settings.studies[wildcards["study"]].consensus_settings()["k"]
        yield {**wildcards, "at_k": k_in_path(k)}


def _perturbed(grid: Grid) -> Iterator[Wildcards]:
    """Yield the figures that show perturbed images."""
    for wildcards in _figures(grid):
        if "perturbed" in grid.settings.studies[wildcards["study"]].figures[wildcards["figure"]].sources:
            yield wildcards


def _pages(kind: str) -> Named:
    return lambda grid: ({"study": study} for study, pages in grid.pages.items() if kind in pages)


def _scaled(grid: Grid) -> Iterable[Wildcards]:
    return [{}] if grid.settings.intake.scale_bars else []


def _whole_run(grid: Grid) -> Iterable[Wildcards]:
    return [{}]


def _reproduction(grid: Grid) -> Iterable[Wildcards]:
    return [{}] if grid.settings.reproduction else []


# --------------------------------------------------------------------------------------------------------- the registry

_OF_FEATURES = "/".join(f"{{{part}}}" for part in parts_of("features"))
_OF_CELL = "/".join(f"{{{part}}}" for part in parts_of("clusters"))


class Layout:
    """The paths of the artefacts of a data set, with wildcards.

    A class attribute is an `Artefact`; the same attribute of an instance is the path of the artefact's first file.

    Parameters
    ----------
    dataset : the data set's id, see `dataset_name`.
    """

    images = Artefact(
        "images", (".csv",), "intake", STAYS, "the images of the data set: id (hash of the content), path, size, mode"
    )
    near_duplicates = Artefact(
        *("near_duplicates", (".csv",), "intake", STAYS),
        "pairs of images with the same pixels, or nearly the same, and their distance in bits",
    )
    formats = Artefact(
        *("formats", (".csv",), "intake", STAYS), "the number of files of each format that were taken in or rejected"
    )
    quality = Artefact(
        "quality", (".csv",), "intake", STAYS, "brightness, contrast, sharpness and the like of each image; odd images"
    )
    set_aside = Artefact(
        *("set_aside", (".csv",), "intake", STAYS),
        "the files left out before labels were read; for a duplicate, the path of the file that stays",
    )
    facts = Artefact(".images", (".facts",), "intake", STAYS, "facts about the files, kept for the next run of intake")
    scale_bars = Artefact(
        *("scale_bars", (".csv",), "scale_bars", STAYS),
        "the scale of each micrograph, or why it could not be read (`intake: {scale_bars: true}`)",
    )
    scales_page = Artefact(
        *("scales/scales", (".html",), "scales_page", _scaled),
        "a page to check the scale of each micrograph beside its bar, and to correct it",
    )
    scale_facts = Artefact(
        ".scale_bars", (".facts",), "scale_bars", STAYS, "scale bars already read, kept for the next run"
    )
    regions = Artefact(
        *("regions", (".csv",), "cut", STAYS),
        "the tiles, boxes or pages that are the images, each with its file and its place in it",
    )
    regions_set_aside = Artefact(
        "regions_set_aside", (".csv",), "cut", STAYS, "the images without such parts, and parts that were left out"
    )
    known_labels = Artefact(
        "known_labels", (".csv",), "known_labels", STAYS, "hashes of another data set's files, with their labels"
    )
    known_facts = Artefact(
        ".known_labels", (".facts",), "known_labels", STAYS, "hashes already computed, kept for the next run"
    )
    label_matches = Artefact(
        "label_matches", (".csv",), "label", STAYS, "which files of the other data set are images here"
    )
    manifest = Artefact("manifest", (".csv",), "label", STAYS, "the images of the data set, with their labels")
    rejected = Artefact(
        *("rejected", (".csv",), "label", STAYS),
        "the files left out, each with a reason and, for duplicates, whether their label differs",
    )
    embedded = Artefact("images", ("",), "embedded", STAYS, "the folder of the embedded data set")
    subset_manifest = Artefact(
        *("subsets/{subset}", (".csv",), "subset", _subsets),
        "the images of a subset, with their rows in the manifest",
    )
    preprocessed = Artefact(
        "preprocess/{preprocess}", (".h5",), "preprocess", _preprocessed, "all images after preprocessing, uint8"
    )
    weights = Artefact(
        "weights/{backbone}",
        (".json",),
        "fetch_weights",
        _backbones,
        "the weight file of a backbone and its SHA-256",
    )
    finetuned = Artefact(
        *("finetuned/{backbone}", (".safetensors", ".csv", ".predictions.csv", ".calibration.csv"), "finetune"),
        _tuned_backbones,
        "the weights of a fine-tuned network, its learning curves, its predictions, and how often they are right",
    )
    features = Artefact(
        f"features/{_OF_FEATURES}", (".h5",), "features", _features, "a vector of features for each image, float32"
    )
    subset_features = Artefact(
        *(f"features/{_OF_FEATURES}@{{subset}}", (".h5",), "select", _features_of_subsets),
        "the features of a subset's images",
    )
    exported = Artefact(
        *(f"exported/{_OF_FEATURES}.{{format}}", ("",), "export_features", STAYS),
        "the same features as a table for other programs (`snakemake export`)",
    )
    decomposed = Artefact(
        *(f"decomposed/{_OF_FEATURES}/{{decomposition}}", (".h5",), "decompose", _decomposed),
        "principal components, a t-SNE map, or the codes of an autoencoder",
    )
    clusters = Artefact(
        *(f"clusters/{_OF_CELL}", (".h5",), "cluster", _of_cells),
        "labels, inertia and centres of every k, repeat and restart",
    )
    scores = Artefact(f"scores/{_OF_CELL}", (".parquet",), "score", _of_cells, "metrics of each stored clustering")
    class_scores = Artefact(
        f"scores/{_OF_CELL}", (".classes.parquet",), "score", _of_cells, "precision, recall and F1 of each class"
    )
    validated = Artefact(
        *(f"validated/{_OF_CELL}/{{cross_validation}}/scores", (".parquet",), "validate", _validated),
        "the metrics of each fold of a cross-validation",
    )
    class_validated = Artefact(
        *(f"validated/{_OF_CELL}/{{cross_validation}}/classes", (".parquet",), "validate", _validated),
        "precision, recall and F1 of each class in each fold",
    )
    study_table = Artefact(
        *("tables/{study}", (".parquet", ".csv", ".classes.parquet", ".classes.csv"), "study_table", _studies),
        "all scores of a study, and those of each class",
        reported=(".csv", ".classes.csv"),
    )
    figure_table = Artefact(
        "tables/{study}/{figure}", (".parquet", ".csv"), "figure_table", _figures, "the numbers that a figure draws"
    )
    figure = Artefact(
        *("figures/{study}/{figure}", (".svg", ".png"), "figure", _figures), "the figures", reported=(".svg",)
    )
    reproduction = Artefact(
        *("tables/reproduction", (".parquet", ".csv"), "reproduction", _reproduction),
        "the run's numbers compared with published ones",
        reported=(".csv",),
    )
    reproduction_figure = Artefact(
        *("figures/reproduction", (".svg", ".png"), "reproduction_figure", _reproduction),
        "the differences from published numbers as a figure",
        reported=(".svg",),
    )
    audit = Artefact(
        *("audit/{study}", (".csv", ".html"), "audit", _pages("audit")),
        "the images whose labels are doubtful, ranked, and a page to correct them",
        reported=(".csv", ".html"),
    )
    labelling = Artefact(
        *("labelling/{study}", (".csv", ".html"), "labelling", _pages("labelling")),
        "the images without labels in the order in which labels help most, and a page to label them",
        reported=(".csv", ".html"),
    )
    agreement = Artefact(
        *("agreement/{study}/{at_k}", (".h5",), "agreement", _agreements),
        "the agreement (ARI) of every two cells of a study, at one k",
    )
    consensus = Artefact(
        *("consensus/{study}", (".h5", ".csv"), "consensus", _consensus),
        "the groups on which a study's cells agree, as a store of clusters; for each image how surely it belongs to "
        "its group, its second group, and the choice that moves it",
        reported=(".csv",),
    )
    perturbed = Artefact(
        *("perturbed/{study}/{figure}", (".csv",), "perturb", _perturbed),
        "the groups of some images and of their rotated, brightened, blurred, compressed and cropped versions",
    )
    verdict = Artefact(
        *("verdict/{study}", (".html", ".csv"), "verdict", _pages("verdict")),
        "the answers of a study, in sentences with their numbers",
        reported=(".html",),
    )
    front_page = Artefact(
        *("verdict", (".html",), "front_page", STAYS), "the verdict of the first study that has a verdict"
    )  # fmt: skip
    methods = Artefact(
        *("methods/methods", (".md", ".bib"), "methods", _whole_run),
        "the methods of the run as prose for a paper, with the entries of the sources that it cites",
        reported=(".md", ".bib"),
    )
    gallery = Artefact(
        *("gallery/{study}", (".html",), "gallery", _pages("gallery"), "images of every cluster, on one page"),
        reported=(".html",),
    )
    explorer = Artefact(
        *("explorer/{study}", (".html",), "explorer", _pages("explorer")),
        "a page with a map of all images, coloured by the clusters of any cell",
    )
    model = Artefact(
        *("models/{study}/model", (".json", ".safetensors"), "model", _modelled_studies),
        "the study's baseline cell as a model for new images (`snakemake models`)",
    )
    model_card = Artefact(
        *("models/{study}/model_card", (".md",), "model_card", _modelled_studies),
        "what a model was made from, its scores, the licence of its weights, and its limits",
    )
    new_images = Artefact(
        *("new_images/{folder}/images", (".csv",), "new_images", STAYS),
        "the images of another folder",
    )
    new_rejected = Artefact(
        "new_images/{folder}/rejected", (".csv",), "new_images", STAYS, "the files of that folder that were left out"
    )
    new_formats = Artefact(
        "new_images/{folder}/formats", (".csv",), "new_images", STAYS, "the number of its files of each format"
    )
    new_quality = Artefact(
        "new_images/{folder}/quality",
        (".csv",),
        "new_images",
        STAYS,
        "brightness, sharpness and the like of its images",
    )
    new_facts = Artefact(
        *("new_images/{folder}/.images", (".facts",), "new_images", STAYS),
        "facts about its files, kept for the next run",
    )
    new_scales = Artefact(
        "new_images/{folder}/scale_bars", (".csv",), "new_scales", STAYS, "the scale of each of them, for tiles in µm"
    )
    new_scale_facts = Artefact(
        "new_images/{folder}/.scale_bars", (".facts",), "new_scales", STAYS, "scales already read, kept"
    )
    new_regions = Artefact(
        *("new_images/{folder}/regions", (".csv",), "cut_new_images", STAYS),
        "their tiles or pages, if those are the images of the data set",
    )
    new_regions_set_aside = Artefact(
        *("new_images/{folder}/regions_set_aside", (".csv",), "cut_new_images", STAYS),
        "the parts of them that were left out",
    )
    predictions = Artefact(
        *("predictions/{folder}/{study}", (".csv",), "name_new_images", STAYS),
        "the cluster of each image of another folder (`snakemake predict --config new_images=PATH`)",
    )
    monitor = Artefact(
        *("monitor/{folder}/{study}", (".html", ".csv", ".svg", ".png"), "monitor_new_images", STAYS),
        "whether batches of new images are like those of the model, and the images to look at (`snakemake monitor`)",
    )
    predicted_areas = Artefact(
        *("predictions/{folder}/{study}/areas", (".csv",), "map_new_images", STAYS),
        "the share of the area of each cluster of tiles, over all new images and in each",
    )
    overlays = Artefact(
        *("predictions/{folder}/{study}/overlays", ("",), "map_new_images", STAYS),
        "a folder with the clusters of the tiles drawn over each new image",
    )
    report = Artefact(
        *("report", (".html", ".zip"), "all", STAYS),
        "all figures, pages and tables of studies with captions and provenance, in one HTML file, or in a zip if large",
    )
    ro_crate = Artefact(
        *("ro-crate-metadata", (".json",), "all", STAYS),
        "what all these files are, for archives and other programs (RO-Crate 1.1)",
    )
    report_files = Artefact(".report", (".files",), "all", STAYS, "the list of the files that the report shows")

    def __init__(self, dataset: str) -> None:
        self.dataset = dataset
        self.root = f"results/{dataset}"

    def of(self, pattern: str, cell: Cell, **other: str) -> str:
        """Return the path of a cell's artefact: `pattern` with the cell's wildcards, some replaced by `other`."""
        return pattern.format(**{**cell.parts, **other})

    def manifest_of(self, subset: str) -> str:
        """Return the manifest of a subset, or that of all images."""
        return self.manifest if subset == EVERYTHING else self.subset_manifest.format(subset=subset)

    def points(self, cell: Cell) -> str:
        """Return the store of the points that a cell clusters: a decomposition, or the features themselves."""
        pattern = self.features if cell.decomposition == FEATURES_THEMSELVES else self.decomposed
        return self.of(pattern, cell)

    def validated_of(self, pattern: str, cells: Iterable[Cell], cross_validation: str | None) -> list[str]:
        """Return the paths of the cells' artefacts of a cross-validation; an empty list without cross-validation."""
        return [self.of(pattern, cell, cross_validation=cross_validation) for cell in cells] if cross_validation else []

    def artefact_of(self, path: str) -> str | None:
        """Return the name of the artefact that a file belongs to, or None."""
        below = path.removeprefix(f"{self.root}/")
        return next((name for name, pattern in PATTERNS.items() if pattern.fullmatch(below)), None)

    def log(self, pattern: str) -> str:
        """Return the path of the log of the job that makes `pattern`."""
        return pattern.replace(self.root, f"{self.root}/logs", 1).rsplit(".", 1)[0] + ".log"

    def benchmark(self, pattern: str) -> str:
        """Return the path of the benchmark of the job that makes `pattern`."""
        return pattern.replace(self.root, f"{self.root}/benchmarks", 1).rsplit(".", 1)[0] + ".tsv"

    def named(self, grid: Grid) -> set[str]:
        """Return every file in the pruned folders that the grid of a configuration names."""
        return self._files(grid, lambda artefact: artefact.endings)

    def reported(self, grid: Grid) -> set[str]:
        """Return every file that the report shows for the grid of a configuration."""
        return self._files(grid, lambda artefact: artefact.reported)

    def _files(self, grid: Grid, endings: Callable[[Artefact], tuple[str, ...]]) -> set[str]:
        return {
            f"{self.root}/{artefact.stem.format(**wildcards)}{ending}"
            for artefact in ARTEFACTS.values()
            if artefact.named
            for wildcards in artefact.named(grid)
            for ending in endings(artefact)
        }


def k_in_path(k: int | None) -> str:
    """Return the name of a k in the path of an artefact; None stands for the smallest k of each clusterer."""
    return SMALLEST_K if k is None else str(k)


def k_from_path(name: str) -> int | None:
    """Return the k that `k_in_path` named."""
    return None if name == SMALLEST_K else int(name)


def _pattern(stem: str) -> str:
    """Return a regular expression that matches the paths of a stem with wildcards."""
    return re.sub(r"\\{\w+\\}", "[^/]+", re.escape(stem))


ARTEFACTS: dict[str, Artefact] = {
    name: artefact for name, artefact in vars(Layout).items() if isinstance(artefact, Artefact)
}
"""Every artefact by its name, in the order of the stages."""


def _fixed_length(artefact: Artefact) -> int:
    """Return the number of characters of an artefact's longest path outside wildcards."""
    return len(re.sub(r"{\w+}", "", artefact.stem)) + max(map(len, artefact.endings))


PATTERNS: dict[str, re.Pattern[str]] = {
    name: re.compile(f"{_pattern(artefact.stem)}(?:{'|'.join(map(re.escape, artefact.endings))})")
    for name, artefact in sorted(ARTEFACTS.items(), key=lambda item: -_fixed_length(item[1]))
}
"""Regular expressions for the files of each artefact below the data set's folder, the most specific first."""
PRUNED_FOLDERS = tuple(
    dict.fromkeys(artefact.stem.partition("/")[0] for artefact in ARTEFACTS.values() if artefact.is_pruned)
)
"""The folders in the data set's folder in which prune looks for unused files."""


def filled(pattern: str, **values: Any) -> str:
    """Return the pattern with the given wildcards filled in, and the others left as they are."""
    wildcards = re.findall(r"{(\w+)}", pattern)
    return pattern.format(**{name: values.get(name, f"{{{name}}}") for name in wildcards})


def beside(path: str, ending: str) -> str:
    """Return the path with its ending replaced by another one."""
    return str(Path(path).with_suffix("")) + ending


def dataset_name(settings: Settings) -> str:
    """Return the data set's id: the given name, `embedded`, or the folder's name and a short hash of its path."""
    if settings.name:
        return settings.name
    if settings.data == "embedded":
        return "embedded"
    return folder_name(settings.data)


def folder_name(folder: str) -> str:
    """Return an id for a folder: its name and a short hash of its absolute path."""
    path = Path(folder).resolve()
    name = re.sub(r"[^\w.-]+", "_", path.name)
    return f"{name}-{hashlib.sha256(str(path).encode()).hexdigest()[:6]}"

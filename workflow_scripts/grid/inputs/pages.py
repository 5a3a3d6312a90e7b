"""Input functions and params of the rules that make audits, labelling pages, galleries and explorers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from workflow_scripts.grid.cells import Cell
from workflow_scripts.grid.inputs.stage import Files, JobWildcards, Stage, dumped
from workflow_scripts.grid.paths import beside


@dataclass(frozen=True)
class PageInputs(Stage):
    """Inputs of the pages on which people look at images: audits, labelling pages, galleries and explorers."""

    def sources(self, kind: str) -> Callable[[JobWildcards], dict[str, Files]]:
        """Return an input function. It returns the paths of `manifest`, `points` and `clusters` of the cells that a
        page shows, and the path of the `images` that it shows."""

        def sources(wildcards: JobWildcards) -> dict[str, Files]:
            cells = self.grid.pages[wildcards.study][kind]
            shown = self.settings.studies[wildcards.study].pages[kind].images or cells[0].preprocess
            return {
                "manifest": [self.layout.manifest_of(cell.subset) for cell in cells],
                "points": [self.layout.points(cell) for cell in cells],
                "clusters": [self.layout.of(self.layout.clusters, cell) for cell in cells],
                "images": self.layout.preprocessed.format(preprocess=shown),
            }

        return sources

    def params(self, kind: str) -> dict[str, Callable[[JobWildcards], Any]]:
        """Return the params of a kind of page, by name, as functions of the wildcards."""
        return {
            "names": lambda wildcards: {"dataset": self.layout.dataset, "study": wildcards.study},
            "page": lambda wildcards: self.settings.studies[wildcards.study].pages[kind].page_settings(),
            "cells": lambda wildcards: dumped(self.grid.pages[wildcards.study][kind]),
        }

    def deciding_sources(self, kind: str) -> Callable[[JobWildcards], dict[str, Files]]:
        """Return an input function for a page on which people make decisions. It returns the inputs of `sources` and
        the table of earlier decisions."""
        return lambda wildcards: {**self.sources(kind)(wildcards), "by_hand": self.layout.decided_by_hand}

    def gallery_sources(self, wildcards: JobWildcards) -> dict[str, Files]:
        """Return the inputs of a gallery by name: those of `sources`, and the features that are scores of ImageNet
        classes."""
        return {**self.sources("gallery")(wildcards), "class_scores": self._class_scores("gallery", wildcards)}

    def class_scores_seen(self, kind: str) -> Callable[[JobWildcards], list[str | None]]:
        """Return a function of the wildcards. It returns, for each cell of a page, the path of the features that are
        scores of ImageNet classes, or None if the cell has no such features."""

        def class_scores(wildcards: JobWildcards) -> list[str | None]:
            return [next(self._class_scores_of(cell), None) for cell in self.grid.pages[wildcards.study][kind]]

        return class_scores

    def _class_scores_of(self, cell: Cell) -> Iterator[str]:
        """Yield the paths of the features that are scores of ImageNet classes, if the cell's backbone has any. If the
        backbone joins several backbones, yield the paths for each of them."""
        for part in self.grid.parts_of(cell):
            if layer := self.settings.backbones[part.backbone].class_scores_beside(part.layer):
                yield self.layout.of(self.layout.features, part, layer=layer)

    def _class_scores(self, kind: str, wildcards: JobWildcards) -> list[str]:
        """Return the paths that `class_scores_seen` gives for the cells of a page, each path once and without None."""
        return list(dict.fromkeys(path for path in self.class_scores_seen(kind)(wildcards) if path))

    def explorer_sources(self, wildcards: JobWildcards) -> dict[str, Files]:
        """Return the inputs of an explorer by name: those of `deciding_sources`, the coordinates of its maps, and
        tables with facts about each image."""
        layout, study = self.layout, wildcards.study
        pages = self.grid.pages[study]
        return {
            **self.deciding_sources("explorer")(wildcards),
            "maps": [layout.of(layout.decomposed, cell) for cell in self.grid.maps[study]],
            "quality": layout.quality,
            "consensus": beside(layout.consensus.format(study=study), ".csv") if "verdict" in pages else [],
            "audit": layout.audit.format(study=study) if "audit" in pages else [],
            "class_scores": self._class_scores("explorer", wildcards)[:1],
            "trust": [layout.figure_table.format(study=study, figure=name) for name in self._rankings(study)],
        }

    def _rankings(self, study: str) -> list[str]:
        """Return a list with the name of the study's first figure that ranks its cells by trust; an empty list if it
        has none."""
        name = self.settings.studies[study].figure_of_kind("trust")
        return [name] if name in self.grid.figures[study] else []

    def opening_of_explorer(self, wildcards: JobWildcards) -> dict[str, Any]:
        """Return the study's baseline cell and the cells that are ranked by trust, as dictionaries. The explorer
        chooses from them which cell it shows first."""
        study = wildcards.study
        ranked = [cell for name in self._rankings(study) for cell in self.grid.figures[study][name]]
        return {"baseline": self.grid.first_choice(study).dump(), "ranked": dumped(ranked)}

    def study_of_explorer(self, wildcards: JobWildcards) -> dict[str, Any]:
        """Return the settings of the study and of its explorer, without the axis `subset`. From these, the explorer
        writes a new study of the images that people select."""
        study = self.settings.studies[wildcards.study]
        shown = study.dump(include={"baseline", "vary", "design", "cells", "explorer"}, exclude_defaults=True)
        shown["vary"] = {axis: values for axis, values in shown.get("vary", {}).items() if axis != "subset"}
        return shown

    def maps_of_explorer(self, wildcards: JobWildcards) -> list[dict[str, Any]]:
        """Return the cells of an explorer's maps, as dictionaries for `params`."""
        return dumped(self.grid.maps[wildcards.study])

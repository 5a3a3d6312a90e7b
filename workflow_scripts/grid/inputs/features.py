"""Input functions and params of the rules that fine-tune networks, and that make and export features."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workflow_scripts.backbones.layers import parts_of
from workflow_scripts.errors import UserError
from workflow_scripts.grid.inputs.stage import Files, JobWildcards, Stage, ends_the_run, named_files
from workflow_scripts.grid.paths import filled


@dataclass(frozen=True)
class FeatureInputs(Stage):
    """Inputs of the stage that makes features from preprocessed images."""

    @ends_the_run
    def weight_file(self, wildcards: JobWildcards) -> Files:
        """Return the path of the weight file that a backbone's settings name, or an empty list if they name none."""
        name = wildcards.backbone
        return named_files(f"backbones.{name}.weights", self.settings.backbones[name].weight_file)

    def feature_file(self, backbone: str) -> Callable[[JobWildcards], Files]:
        """Return an input function for the file of features that a backbone's settings name."""

        @ends_the_run
        def file(wildcards: JobWildcards) -> Files:
            return named_files(f"backbones.{backbone}.file", self.settings.backbones[backbone].feature_file)

        return file

    def part_files(self, backbone: str, layer: str) -> list[str]:
        """Return the paths of the features that are joined into those of a layer; empty if nothing is joined.

        They are features of other layers of this backbone, or of other backbones. The paths keep the wildcard of
        preprocessing.
        """
        parts = list(self.settings.backbones[backbone].parts.items()) or [(backbone, part) for part in parts_of(layer)]
        paths = [filled(self.layout.features, backbone=name, layer=part) for name, part in parts]
        return paths if len(paths) > 1 else []

    def shard_files(self, backbone: str, layers: list[str]) -> list[str]:
        """Return the paths of the shards of a forward pass, with all layers of a shard beside each other; empty if one
        job computes the pass. The paths keep the wildcard of preprocessing."""
        shards = self.settings.backbones[backbone].shards_of(layers[0])
        return [
            filled(self.layout.shards, backbone=backbone, layer=layer, shard=shard)
            for shard in shards
            for layer in layers
        ]

    def images_to_learn_from(self, wildcards: JobWildcards) -> str:
        """Return the path of the preprocessed images on which a network is fine-tuned."""
        tuned = self.settings.backbones[wildcards.backbone].finetune
        return self.layout.preprocessed.format(preprocess=tuned.preprocess if tuned else "")

    def weights_of(self, backbone: str) -> str:
        """Return the path of the file that must exist before features are computed: the fine-tuned weights, or the JSON
        file about the weights."""
        tuned = self.settings.backbones[backbone].finetune
        return (self.layout.finetuned if tuned else self.layout.weights).format(backbone=backbone)

    def frozen_network(self, backbone: str) -> dict[str, Any]:
        """Return the settings of the network that computes the features, with the fine-tuned weights if there are
        any."""
        settings = self.settings.backbones[backbone]
        tuned = {"weights": self.weights_of(backbone), "sha256": None, "normalise": "auto"}
        return {**settings.network(), **(tuned if settings.finetune else {})}

    def images_for(self, backbone: str) -> Callable[[JobWildcards], str]:
        """Return an input function for the preprocessed images. It ends the run if the backbone cannot take images of
        their size."""

        @ends_the_run
        def images(wildcards: JobWildcards) -> str:
            size = self.settings.preprocess[wildcards.preprocess].size
            if trouble := self.settings.backbones[backbone].refuses(size):
                raise UserError(f"config: backbones.{backbone}: {trouble}")
            return self.layout.preprocessed.format(**wildcards)

        return images

    def exported(self, wildcards: JobWildcards) -> list[str]:
        """Return the paths of the exported features of all cells, in the format that `export_as` sets."""
        layout, ending = self.layout, self.settings.export_as
        paths = (layout.of(layout.exported, cell, layer=cell.layer, format=ending) for cell in self.grid.all_cells)
        return list(dict.fromkeys(paths))

"""The files that the targets `all` and `study_NAME` make, and the network whose layers the target `list_layers`
lists."""

from collections.abc import Callable
from dataclasses import dataclass

from workflow_scripts.grid.expand import Grid
from workflow_scripts.grid.inputs.models import ModelInputs
from workflow_scripts.grid.inputs.stage import JobWildcards, Stage
from workflow_scripts.grid.paths import beside


@dataclass(frozen=True)
class Targets(Stage):
    """The files that the targets of the command line make, and the network whose layers `list_layers` lists."""

    models: ModelInputs

    def everything(self, wildcards: JobWildcards) -> list[str]:
        """Return the paths of all files that the configuration uses, with intermediate files but without temporary ones
        and models.

        Intermediate files must be targets. Otherwise, if one is missing and files that were made from it still exist,
        Snakemake would not make it again.
        """
        return self._named(self.grid)

    def of_study(self, study: str) -> Callable[[JobWildcards], list[str]]:
        """Return an input function for all files of one study, with the intermediate files but without models.

        Studies whose consensus this study needs are included. The paragraph about methods is left out, because it reads
        the tables of all studies.
        """
        of_all_studies = {self.layout.methods, beside(self.layout.methods, ".bib")}

        def files(wildcards: JobWildcards) -> list[str]:
            return [path for path in self._named(self._alone(study)) if path not in of_all_studies]

        return files

    def _alone(self, study: str) -> Grid:
        """Return the grid of a study and of all studies whose consensus it needs, directly or through another study."""
        read, names = {study}, set[str]()
        while read > names:
            names = read
            studies = {name: of_name for name, of_name in self.settings.studies.items() if name in names}
            grid = Grid(self.settings.model_copy(update={"studies": studies, "reproduction": None}))
            read_by = {self.settings.clusterers[cell.clusterer].study_read for cell in grid.all_cells}
            read = names | {name for name in read_by if name}
        return grid

    def _named(self, grid: Grid) -> list[str]:
        models = {path for model in self.models.paths for path in (model, beside(model, ".safetensors"))}
        return sorted(self.layout.named(grid) - self.layout.temporary(grid) - models - set(self.models.cards))

    def listed_model(self, wildcards: JobWildcards) -> str:
        """Return the name of the model whose layers are listed.

        The setting `backbone` names this model, or a backbone that has it. Without the setting it is the model of the
        baseline's backbone.
        """
        name = self.settings.backbone or self.settings.baseline.backbone
        variant = self.settings.backbones.get(name)
        return variant.model if variant and variant.model else name

    def listed_size(self, wildcards: JobWildcards) -> int:
        """Return the side, in pixels, of the images for which `list_layers` lists the shapes of layers."""
        named = self.settings.backbones.get(self.settings.backbone or "")
        variant = self.settings.preprocess[self.settings.baseline.preprocess]
        return (named and named.size) or max(variant.size)

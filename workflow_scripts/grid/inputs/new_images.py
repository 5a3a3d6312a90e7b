"""Input functions and params of the rules that assign the images of another folder to clusters, and test batches of
them."""

from dataclasses import dataclass
from os.path import isdir
from typing import Any

from workflow_scripts.errors import UserError
from workflow_scripts.grid.inputs.models import ModelInputs
from workflow_scripts.grid.inputs.stage import JobWildcards, Stage, ends_the_run, folder_digest
from workflow_scripts.grid.paths import beside, folder_name


@dataclass(frozen=True)
class NewImagesInputs(Stage):
    """Inputs of the predictions and pages about new images, which are the images of another folder."""

    models: ModelInputs

    @ends_the_run
    def listing(self, wildcards: JobWildcards) -> str:
        """Return a digest of the files in the folder of new images."""
        intake = self.settings.intake
        return folder_digest("new_images", str(self.settings.new_images), intake.include, intake.exclude)

    @property
    def table(self) -> str:
        """Return the path of the table of new images.

        If the images of the data set are parts of files, new files are divided into parts in the same way, and the
        table lists these parts.
        """
        return self.layout.new_regions if self.settings.intake.cuts else self.layout.new_images

    def predictions(self, wildcards: JobWildcards) -> list[str]:
        """Return the paths of the tables of predictions for new images, one for each study with a model. If images are
        cut into tiles, the tables of the areas of clusters are added."""
        areas = [self.layout.predicted_areas] if self.settings.intake.tiles else []
        return self._of_models("predict", self.layout.predictions, *areas)

    def monitors(self, wildcards: JobWildcards) -> list[str]:
        """Return the paths of the pages about batches of new images, one for each study with a model."""
        return self._of_models("monitor", self.layout.monitor)

    @ends_the_run
    def _of_models(self, command: str, *patterns: str) -> list[str]:
        """Return `patterns`, filled in with the folder of new images and with the name of each study that has a model.

        The run ends with a message if `new_images` is not a folder (the message then shows how to call `command`), if
        the images of the data set are annotated boxes cut out of files, or if no study has a model.
        """
        path = self.settings.new_images or "nothing"
        if not isdir(path):
            allowed = f"a folder of images, as in: snakemake {command} --config new_images=PATH"
            raise UserError(f"config: new_images: found {path}, allowed: {allowed}")
        if self.settings.intake.crops:
            allowed = "whole files or tiles: the boxes are annotated on other images"
            raise UserError(f"config: new_images: found with intake.crops, allowed: {allowed}")
        self.models.check()
        folder = folder_name(path)
        return [pattern.format(folder=folder, study=study) for study in self.models.studies for pattern in patterns]

    @property
    def batch(self) -> dict[str, Any]:
        """Return the settings of batches of new images: their size, their order, and the highest rate of false
        alarms."""
        settings = self.settings
        return {"size": settings.batch_size, "order": settings.batch_order, "rate": settings.false_alarms}

    @property
    def group_rule(self) -> dict[str, Any] | None:
        """Return the rule that groups new images. It is `intake.groups` if this is set. Otherwise images that are parts
        of one file are a group, and images that are whole files are not grouped (None)."""
        intake = self.settings.intake
        return intake.groups.dump() if intake.groups else {"rule": "file"} if intake.cuts else None

    def monitor_links(self, wildcards: JobWildcards) -> dict[str, str]:
        """Return the paths of the tables to which the page about new images links, relative to the folder of all
        results."""
        paths = {"batches": beside(self.layout.monitor, ".csv"), "predictions": self.layout.predictions}
        return {name: path.format(**wildcards).removeprefix(f"{self.layout.root}/") for name, path in paths.items()}

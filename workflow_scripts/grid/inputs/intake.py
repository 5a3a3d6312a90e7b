"""Input functions and params of the rules that make the manifest, the table of all images with their labels."""

from dataclasses import dataclass
from glob import escape
from os.path import abspath, isdir, join, relpath, split
from typing import Any

from workflow_scripts.errors import UserError
from workflow_scripts.grid.inputs.stage import (
    Files,
    JobWildcards,
    Stage,
    each_file,
    ends_the_run,
    folder_digest,
    named_files,
)
from workflow_scripts.intake.boxes import FORMATS as ANNOTATIONS
from workflow_scripts.intake.labels import NO_TABLE, find_table
from workflow_scripts.intake.listing import listing_digest, scan, would_list
from workflow_scripts.settings.base import user_path


@dataclass(frozen=True)
class IntakeInputs(Stage):
    """Inputs of the stage from raw files to the manifest."""

    @property
    def is_embedded(self) -> bool:
        """Return whether the images are those that come with the workflow, and not those in a folder of the user."""
        return self.settings.data == "embedded"

    def images_folder(self, wildcards: JobWildcards = None) -> str:
        """Return the path of the folder of the raw images."""
        return self.layout.embedded if self.is_embedded else self.settings.data

    @ends_the_run
    def listing(self, wildcards: JobWildcards) -> str | None:
        """Return a digest of the files in the data folder; None for the embedded data set. Tables that the settings
        name are left out, so that editing them does not run intake again. The run ends with a message if the figures of
        this run would be saved in the data folder and would be taken for images."""
        if self.is_embedded:
            return None
        files = (
            *(self.label_table, self.group_table, self.label_corrections),
            *(self.excluded_images, self.scale_corrections),
        )
        tables = {abspath(table) for file in files for table in each_file(file(wildcards))}
        self._check_figures_are_elsewhere()
        folder, intake = self.settings.data, self.settings.intake
        entries = scan(folder, intake.include, intake.exclude)
        return listing_digest(entry for entry in entries if abspath(join(folder, entry.path)) not in tables)

    def _check_figures_are_elsewhere(self) -> None:
        """Raise `UserError` if figures of this run would be saved in the data folder and be taken for images."""
        folder, intake = self.settings.data, self.settings.intake
        figure = relpath(join(self.layout.root, "figure.png"), folder)
        if would_list(figure, intake.include, intake.exclude):
            top, inside, _ = figure.partition("/")
            instead = f", or this one with intake: {{exclude: [{top}]}}" if inside else ""
            problem = f"found {folder!r}, which would make images of the figures in {self.layout.root}"
            raise UserError(f"config: data: {problem}, allowed: another folder{instead}")

    @ends_the_run
    def known_listing(self, wildcards: JobWildcards) -> str:
        """Return a digest of the files in the folder of labelled images from which labels are taken."""
        return folder_digest("intake.labels.file", str(self.settings.intake.labels.file))

    @ends_the_run
    def label_table(self, wildcards: JobWildcards) -> Files:
        """Return the path of the table from which labels are read; an empty list if there is none.

        Raises `UserError` if the table is in a data folder in whose path Snakemake finds a wildcard.
        """
        labels = self.settings.intake.labels
        if labels.by_content and labels.file and isdir(labels.file):
            return self.layout.known_labels
        table = find_table(self.images_folder(), labels.rule, labels.file)
        if table is None and labels.rule == "csv" and isdir(self.images_folder()):
            raise UserError(NO_TABLE)
        try:
            return user_path(table) if table else []
        except ValueError as error:
            raise UserError(f"config: data: {error}") from None

    @ends_the_run
    def label_corrections(self, wildcards: JobWildcards) -> Files:
        """Return the paths of the user's tables of corrected labels."""
        return each_file(named_files("intake.labels.corrections", self.settings.intake.labels.corrections))

    @ends_the_run
    def group_table(self, wildcards: JobWildcards) -> Files:
        """Return the path of the table from which groups are read; an empty list if there is none."""
        groups = self.settings.intake.groups
        return named_files("intake.groups.file", groups.file) if groups and groups.rule == "csv" else []

    @ends_the_run
    def scale_corrections(self, wildcards: JobWildcards) -> Files:
        """Return the paths of the user's tables of corrected scales."""
        return each_file(named_files("intake.scales", self.settings.intake.scales))

    @property
    def group_rule(self) -> dict[str, Any] | None:
        """Return the settings `intake.groups`, or None."""
        groups = self.settings.intake.groups
        return groups.dump() if groups else None

    @ends_the_run
    def excluded_images(self, wildcards: JobWildcards) -> Files:
        """Return the paths of the user's tables of images to leave out."""
        return each_file(named_files("intake.exclude_file", self.settings.intake.exclude_file))

    @property
    def file_settings(self) -> dict[str, Any]:
        """Return the settings that decide which files become images of the data set."""
        return self.settings.intake.dump(
            exclude={"labels", "sublabels", "groups", "scale_bars", "scales", "tiles", "crops"}
        )

    @property
    def images_table(self) -> str:
        """Return the path of the table of images. An image is a file, or a part of a file (a tile, box or page)."""
        return self.layout.regions if self.settings.intake.cuts else self.layout.images

    @property
    def set_aside_tables(self) -> list[str]:
        """Return the paths of the tables of files, and of parts of files, that are left out."""
        return [self.layout.set_aside, *([self.layout.regions_set_aside] if self.settings.intake.cuts else [])]

    @property
    def cut_settings(self) -> dict[str, Any]:
        """Return the settings that decide which parts of files become images."""
        intake = self.settings.intake
        return {
            "tiling": intake.tiles.tiling() if intake.tiles else None,
            **(intake.crops.dump() if intake.crops else {"boxes": None}),
            "all_pages": intake.pages == "all",
            "min_size": intake.min_size,
        }

    @ends_the_run
    def annotations(self, wildcards: JobWildcards) -> str | None:
        """Return a digest of the annotations from which boxes or labels come; None if there are none."""
        intake = self.settings.intake
        if intake.crops:
            return self._listing_of("crops.boxes", intake.crops.boxes)
        return self._listing_of("labels.file", str(intake.labels.file)) if intake.labels.rule == "boxes" else None

    def _listing_of(self, key: str, source: str) -> str:
        """Return a digest of a file, or of the files in a folder. Raises `UserError` about the setting `key` if nothing
        is there."""
        folder, name = split(source)
        try:
            entries = scan(source) if isdir(source) else scan(folder or ".", ["./" + escape(name)])
            return listing_digest(entries)
        except UserError:
            message = f"config: intake.{key}: found nothing at {source}, allowed: {ANNOTATIONS}"
            raise UserError(message) from None

    @property
    def sublabel_rule(self) -> dict[str, Any] | None:
        """Return the settings of the finer classes within labels (`intake.sublabels`), or None."""
        sublabels = self.settings.intake.sublabels
        return sublabels.dump(include={"rule", "level", "pattern"}) if sublabels else None

    @property
    def label_matches(self) -> dict[str, str]:
        """Return the output `matches` of the rule `label` if labels are matched by content; otherwise return {}."""
        return {"matches": self.layout.label_matches} if self.settings.intake.labels.by_content else {}

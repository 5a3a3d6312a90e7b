"""images.csv, images, and scales or boxes -> regions.csv: parts of files as images; and what is left out."""

from snakemake.script import Snakemake

from workflow_scripts.intake.boxes import read_boxes
from workflow_scripts.intake.regions import Tiling, cut
from workflow_scripts.io.memory import counted_pixels, processes
from workflow_scripts.io.tables import AS_THEY_ARE, read_csv, write_csv
from workflow_scripts.runlog import NOTICE, job, progress

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    images = read_csv(snakemake.input.images)
    largest = max(map(counted_pixels, images.to_dict("records")))
    how = dict(snakemake.params.cut)
    boxes, tiling = how.pop("boxes"), how.pop("tiling")
    scales = read_csv(snakemake.input.scales, **AS_THEY_ARE) if snakemake.input.scales else None
    regions = cut(
        images,
        snakemake.params.folder,
        boxes=read_boxes(boxes, images["path"]) if boxes else None,
        tiling=Tiling(**tiling) if tiling else None,
        nm_per_pixel=None if scales is None else scales.set_index("path")["nm_per_pixel"].dropna().to_dict(),
        max_pixels=snakemake.params.max_pixels,
        excluded=snakemake.input.get("excluded", ()),  # new images have none
        workers=processes(snakemake.threads, largest),
        progress=progress("cut", "files"),
        **how,
    )
    for line in regions.notes:
        log.log(NOTICE, line)
    for table, path in snakemake.output.items():
        write_csv(getattr(regions, table), path)

"""Write regions.csv (the tiles, boxes or pages that become images) and regions_set_aside.csv (what is left out)."""

from snakemake.script import Snakemake

from workflow_scripts.intake.boxes import read_boxes
from workflow_scripts.intake.regions import Tiling, cut_boxes, cut_tiles, pages_of
from workflow_scripts.io.memory import reading_processes
from workflow_scripts.io.tables import AS_THEY_ARE, read_csv, write_csv
from workflow_scripts.runlog import NOTICE, job, progress

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    images, folder = read_csv(snakemake.input.images), snakemake.params.folder
    how = snakemake.params.cut
    excluded = snakemake.input.get("excluded", ())  # new images have none
    if how["boxes"]:
        boxes = read_boxes(how["boxes"], images["path"])
        regions = cut_boxes(images, boxes, how["margin"], how["min_size"], excluded, progress("cut", "files"))
    else:
        pages = pages_of(images, folder, how["all_pages"], snakemake.params.max_pixels)
        scales = read_csv(snakemake.input.scales, **AS_THEY_ARE) if snakemake.input.scales else None
        regions = cut_tiles(
            images,
            folder,
            Tiling(**how["tiling"]) if how["tiling"] else None,
            all_pages=how["all_pages"],
            nm_per_pixel=None if scales is None else scales.set_index("path")["nm_per_pixel"].dropna().to_dict(),
            min_size=how["min_size"],
            max_pixels=snakemake.params.max_pixels,
            excluded=excluded,
            workers=reading_processes(snakemake.threads, pages, snakemake.resources.mem_mb),
            progress=progress("cut", "files"),
        )
    for line in regions.notes:
        log.log(NOTICE, line)
    for table, path in snakemake.output.items():
        write_csv(getattr(regions, table), path)

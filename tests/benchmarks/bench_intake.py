"""150 000 small files after table 2.1 of Coronica 2018 through intake: time, memory, a kill, a resumption.

Half are TIFFs, half JPEGs made of them; some thousands are copies, the same pixels in another container, cut short, or
of formats that are not read. Run: OMP_NUM_THREADS=1 python -m tests.benchmarks.bench_intake [files]
"""

import os
import resource
import shutil
import signal
import sys
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep

import numpy as np
import psutil
from PIL import Image

from workflow_scripts.intake.facts import Facts, remembering
from workflow_scripts.intake.inspection import inspect
from workflow_scripts.intake.listing import scan

SIDE = 64
WORKERS = 2
OTHERS = {"pdf": b"%PDF-1.4\n", "dm3": b"\0\0\0\3\0\0\0\0", "djvu": b"AT&TFORM\0\0\0\0DJVU", "txt": b"notes"}


def generate(folder: Path, files: int) -> None:
    """Write the files, three folders deep."""
    rng = np.random.default_rng(0)
    for number in range(files // 2):
        place = folder / f"user_{number % 97}" / f"day_{number // 97 % 31}" / f"run {number % 5}"
        place.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (9, 9), dtype=np.uint8)).resize(
            (SIDE, SIDE), Image.Resampling.BICUBIC
        )
        picture = Image.fromarray((np.asarray(coarse) // 2 + rng.integers(0, 64, (SIDE, SIDE))).astype(np.uint8))
        picture.save(place / f"{number}.tif")
        if number % 75 == 1:
            shutil.copy(place / f"{number}.tif", place / f"copy of {number}.tif")
        elif number % 75 == 2:
            picture.save(place / f"{number}.bmp")
        elif number % 75 == 3:
            suffix = list(OTHERS)[number // 75 % len(OTHERS)]
            (place / f"{number}.{suffix}").write_bytes(OTHERS[suffix])
        elif number % 75 == 4:
            (place / f"{number} cut.tif").write_bytes((place / f"{number}.tif").read_bytes()[:3000])
        else:
            picture.save(place / f"{number}.jpg", quality=85)


def take_in(folder: Path, facts: Path) -> None:
    """The intake job without Snakemake; prints what it found out."""
    start = perf_counter()
    entries = scan(folder)
    listed = perf_counter() - start
    with remembering(facts, "bench", entries, Facts) as memory:
        known = len(memory.known)
        found = inspect(folder, entries, workers=WORKERS, memory=memory)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{len(entries)} files, {known} known: {perf_counter() - start:.1f} s (listing {listed:.1f} s), ", end="")
    print(f"peak {peak:.0f} MiB, largest worker {worker:.0f} MiB")
    print(
        *found.notes, found.formats.to_string(index=False), f"{len(found.near_duplicates)} pairs", sep="\n", flush=True
    )


def main(folder: Path, files: int = 150_000) -> None:
    """Generate, take in until half is done, kill, take in again, and once more with everything known."""
    start = perf_counter()
    generate(folder / "pictures", files)
    print(f"generated in {perf_counter() - start:.0f} s", flush=True)
    facts = folder / "facts"
    job = get_context("spawn").Process(target=take_in, args=[folder / "pictures", facts])
    start = perf_counter()
    job.start()
    while job.is_alive() and _lines(facts) < files // 2:
        sleep(1)
    children = psutil.Process(job.pid).children(recursive=True)
    os.kill(job.pid, signal.SIGKILL)
    job.join()
    print(f"killed after {perf_counter() - start:.1f} s with {_lines(facts)} facts on the disk")
    sleep(2)
    print(f"{sum(child.is_running() for child in children)} of {len(children)} workers outlive it", flush=True)
    for _ in range(2):
        again = get_context("spawn").Process(target=take_in, args=[folder / "pictures", facts])
        again.start()
        again.join()


def _lines(facts: Path) -> int:
    """Facts in the file, whose first line says what they were made from."""
    return facts.read_bytes().count(b"\n") - 1 if facts.exists() else 0


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        main(Path(folder), *map(int, sys.argv[1:]))

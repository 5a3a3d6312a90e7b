"""Facts kept by intake: no file is opened twice, a kill loses few facts, and a changed file is read again."""

import os
import signal
import sys
import time
from multiprocessing import get_context

import pandas as pd
import psutil
import pytest
from bad_images import COLOUR, GREY, encoded

from tests.unit.intake.files import write_files
from workflow_scripts.intake import inspection
from workflow_scripts.intake.facts import Facts, remembering
from workflow_scripts.intake.inspection import inspect
from workflow_scripts.intake.listing import scan
from workflow_scripts.io.parallel import ordered_map


@pytest.fixture
def folder(tmp_path):
    write_files(
        tmp_path / "images", a=encoded(COLOUR, "PNG"), b=encoded(GREY, "PNG"), c=encoded(COLOUR[::-1], "PNG"), d=b""
    )
    return tmp_path / "images"


@pytest.fixture
def opened(monkeypatch):
    """Return the list of images that are opened, in order."""
    seen = []
    original = inspection.inspect_file

    def seeing(root, path, **limits):
        seen.append(path)
        return original(root, path, **limits)

    monkeypatch.setattr(inspection, "inspect_file", seeing)
    monkeypatch.setattr(inspection, "ordered_map", lambda function, items, workers, batch: map(function, items))
    return seen


def _inspect(folder, made_from="now"):
    entries = scan(folder)
    with remembering(folder.parent / "facts", made_from, entries, Facts) as memory:
        return inspect(folder, entries, memory=memory)


def _tables(inspected):
    return [inspected.images, inspected.set_aside, inspected.near_duplicates, inspected.formats]


def _same(one, other):
    for table, again in zip(_tables(one), _tables(other), strict=True):
        pd.testing.assert_frame_equal(table, again)
    return one.notes == other.notes


def test_images_are_opened_once_and_rejected_files_each_time(folder, opened):
    first = _inspect(folder)
    assert opened == ["a.png", "b.png", "c.png", "d.png"]
    opened.clear()
    assert _same(_inspect(folder), first)
    assert opened == ["d.png"]


@pytest.mark.parametrize("change", ["bytes", "time", "name", "code"])
def test_what_has_changed_is_opened_again(folder, opened, change):
    _inspect(folder)
    opened.clear()
    if change == "bytes":
        (folder / "b.png").write_bytes(encoded(GREY[::-1], "PNG"))
    elif change == "time":
        os.utime(folder / "b.png", ns=(1, 1))
    elif change == "name":
        (folder / "b.png").rename(folder / "e.png")
    again = _inspect(folder, "later" if change == "code" else "now")
    changed = {"name": ["d.png", "e.png"], "code": ["a.png", "b.png", "c.png", "d.png"]}
    assert opened == changed.get(change, ["b.png", "d.png"])
    assert _same(again, inspect(folder, scan(folder)))


def test_a_torn_line_costs_its_own_image_only(folder, opened):
    first = _inspect(folder)
    facts = folder.parent / "facts"
    facts.write_bytes(facts.read_bytes()[:-25])
    opened.clear()
    assert _same(_inspect(folder), first)
    assert opened == ["c.png", "d.png"]
    opened.clear()
    assert _same(_inspect(folder), first)
    assert opened == ["d.png"]


def test_a_file_that_is_no_memory_is_begun_anew(folder, opened):
    (folder.parent / "facts").write_bytes(b"\xff\xfe nothing of ours\n[1, 2]\n")
    first = _inspect(folder)
    opened.clear()
    assert _same(_inspect(folder), first)
    assert opened == ["d.png"]


def _inspect_until_killed(folder):
    def progress(done, total):
        if done >= 100:
            os.kill(os.getpid(), signal.SIGKILL)

    entries = scan(folder)
    with remembering(folder.parent / "facts", "now", entries, Facts) as memory:
        inspect(folder, entries, memory=memory, progress=progress)


def test_a_kill_in_the_middle_loses_only_what_was_under_way(tmp_path, opened):
    folder = tmp_path / "images"
    write_files(folder, **{f"p{number:03d}": encoded(GREY + number, "PNG") for number in range(200)})
    process = get_context("fork").Process(target=_inspect_until_killed, args=[folder])
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    known = (tmp_path / "facts").read_text().count("p0")
    assert 20 < known < 200
    opened.clear()
    resumed = _inspect(folder)
    assert 200 - known <= len(opened) <= 200 - known + 1
    assert _same(resumed, inspect(folder, scan(folder)))


def _report_and_sleep(path):
    path.touch()
    time.sleep(600)


def _sleep_in_workers(reports):
    for _ in ordered_map(_report_and_sleep, reports, workers=2):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="workers end with a killed job on Linux only")
def test_workers_end_with_a_job_that_is_killed(tmp_path):
    reports = [tmp_path / "one", tmp_path / "two"]
    process = get_context("fork").Process(target=_sleep_in_workers, args=[reports])
    process.start()
    while not all(report.exists() for report in reports):
        time.sleep(0.01)
    workers = psutil.Process(process.pid).children()
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    _, alive = psutil.wait_procs(workers, timeout=300)
    assert len(workers) == 2
    assert alive == []

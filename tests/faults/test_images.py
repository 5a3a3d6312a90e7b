"""Files that are no images, damaged, or of rare kinds: each is read as it was written or rejected with a reason."""

import gzip
from collections.abc import Callable
from pathlib import Path

from tests.bad_images import GREY, MAX_PIXELS, MIN_SIZE, Expected, encoded, write_bad_images
from workflow_scripts.intake.inspection import inspect
from workflow_scripts.intake.listing import scan

MORE = (
    ("x" * 251 + ".png", encoded(GREY[::-1], "PNG"), ""),
    ("zeros.tif", bytes(300), "not an image"),
    ("packed.png", gzip.compress(encoded(GREY, "PNG")), "not an image"),
    ("pointer.jpg", b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "not an image"),
)
"""Names, contents and reasons of more files; the name of the first is as long as file systems allow."""


def test_every_image_is_taken_or_rejected_with_its_reason(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    expected = write_bad_images(tmp_path)
    for name, content, reason in MORE:
        (tmp_path / name).write_bytes(content)
        expected[name] = Expected(reason=reason)
    inspected = inspect(tmp_path, scan(tmp_path), min_size=MIN_SIZE, max_pixels=MAX_PIXELS, masks="keep", workers=2)
    rejected = dict(zip(inspected.set_aside["path"], inspected.set_aside["reason"], strict=True))
    assert rejected == {name: image.reason for name, image in expected.items() if image.reason}
    assert len(inspected.images) == sum(not image.reason for image in expected.values())
    assert not inspected.set_aside["detail"].str.contains("\n").any()
    record_property("image files", len(expected))

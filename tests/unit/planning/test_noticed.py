from workflow_scripts.planning.noticed import noticed


def test_what_was_decided_for_the_user_is_said(tmp_path):
    intake, label = tmp_path / "images.log", tmp_path / "manifest.log"
    intake.write_text(
        "10:00:00 INFO 0 of 9 files are known from an earlier run\n"
        "10:00:01 NOTICE images to look at (quality.csv): 2 dark (a.png)\n"
        "10:00:01 NOTICE 1 images in 1 folders have unusual sizes (exclude them?): doc/plot.png\n"
    )
    label.write_text("10:00:02 NOTICE labels: prefix of the file's name (2 classes; no folders)\n")
    assert list(noticed(map(str, (intake, label, tmp_path / "gone.log")))) == [
        "Images to look at (quality.csv): 2 dark (a.png)",
        "1 images in 1 folders have unusual sizes (exclude them?): doc/plot.png",
        "Labels: prefix of the file's name (2 classes; no folders)",
    ]

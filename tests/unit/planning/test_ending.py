"""The summary at the end of a run."""

from workflow_scripts.planning.ending import only_page


def test_one_page_is_named_itself_and_several_by_their_folder(tmp_path):
    assert only_page(str(tmp_path)) == str(tmp_path)
    page = tmp_path / "main.html"
    for name in ("main.html", "main.csv"):
        (tmp_path / name).touch()
    assert only_page(str(tmp_path)) == str(page)
    (tmp_path / "other.html").touch()
    assert only_page(str(tmp_path)) == str(tmp_path)

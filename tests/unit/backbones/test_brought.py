"""Features of another program: all formats and kinds of names give the right rows; each mistake is one line."""

import h5py
import numpy as np
import pandas as pd
import pytest

from workflow_scripts.backbones.brought import bring
from workflow_scripts.backbones.brought_width import brought_width
from workflow_scripts.errors import UserError
from workflow_scripts.io import store

PATHS = ["a/1.png", "a/2.png", "b/3.png", "b/é 4.png"]
IDS = [f"{number:016x}" for number in (7, 5, 9, 1)]
VALUES = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "manifest.csv"
    pd.DataFrame({"image_id": IDS, "path": PATHS, "label": ["x", "x", "y", "y"]}).to_csv(path, index=False)
    return str(path)


def write(path, names, values):
    columns = [f"f{number}" for number in range(values.shape[1])]
    table = pd.DataFrame(values, columns=columns).assign(file=names)[["file", *columns]]
    match path.suffix:
        case ".npz":
            np.savez(path, embeddings=values, files=np.array(names))
        case ".h5":
            with h5py.File(path, "w") as file:
                file["x"] = values
                file["names"] = np.array([name.encode() for name in names], dtype=object)
        case ".csv":
            table.to_csv(path, index=False)
        case _:
            table.to_parquet(path, index=False)
    return str(path)


def brought(path, manifest, tmp_path):
    bring(path, manifest, tmp_path / "out.h5", {"code": "c", "settings": {"backbone": {"file": path}}})
    with store.reading(tmp_path / "out.h5", store.manifest_digest(IDS)) as file:
        assert store.image_ids(file).tolist() == IDS
        return file["features"][:]


NAMINGS = {
    "path": PATHS,
    "name": [path.split("/")[1] for path in PATHS],
    "stem": [path.split("/")[1].removesuffix(".png") for path in PATHS],
    "hash": IDS,
    "sha256": [number + 48 * "A" for number in IDS],
    "absolute": [f"/data/steel/{path}" for path in PATHS],
    "windows": ["C:\\data\\" + path.replace("/", "\\") for path in PATHS],
}


@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.parametrize("suffix", [".npz", ".h5", ".csv", ".parquet"])
def test_rows_go_to_their_images(tmp_path, manifest, suffix, naming):
    order = [2, 0, 3, 1]
    path = write(tmp_path / f"mine{suffix}", [NAMINGS[naming][row] for row in order], VALUES[order])
    np.testing.assert_allclose(brought(path, manifest, tmp_path), VALUES, rtol=1e-6)


def test_surplus_rows_are_said_and_left_out(tmp_path, manifest, caplog):
    path = write(tmp_path / "a.npz", [*PATHS, "c/5.png"], np.vstack([VALUES, VALUES[:1]]))
    with caplog.at_level("INFO"):
        np.testing.assert_array_equal(brought(path, manifest, tmp_path), VALUES)
    assert any("1 row belongs to no image, left out: c/5.png" in message for message in caplog.messages)
    assert any("4 rows matched by path" in message for message in caplog.messages)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_an_index_and_labels_are_no_features(tmp_path, manifest, suffix, caplog):
    table = pd.DataFrame(VALUES, columns=["a", "b", "c"]).assign(Class=[2, 2, 5, 5], remark="none", file=PATHS)
    path = tmp_path / f"mine{suffix}"
    table.reset_index().to_parquet(path) if suffix == ".parquet" else table.to_csv(path)
    with caplog.at_level("INFO"):
        np.testing.assert_allclose(brought(str(path), manifest, tmp_path), VALUES, rtol=1e-6)
    assert any(", Class" in message or "Class, " in message for message in caplog.messages)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_column_of_labels_has_no_names_and_no_mistakes(tmp_path, manifest, suffix):
    table = pd.DataFrame(VALUES, columns=["a", "b", "c"]).assign(Label=["3", "5", "3", "unknown"], photo=PATHS)
    path = tmp_path / f"a{suffix}"
    table = table[["Label", "photo", "a", "b", "c"]]
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path, index=False)
    np.testing.assert_allclose(brought(str(path), manifest, tmp_path), VALUES, rtol=1e-6)


@pytest.mark.parametrize("column", ["file", "number"])
def test_names_may_count_the_rows_as_an_index_does(tmp_path, column):
    names = ["0001", "0002", "0003", "0004"]
    manifest = tmp_path / "manifest.csv"
    pd.DataFrame({"image_id": IDS, "path": [f"{name}.png" for name in names]}).to_csv(manifest, index=False)
    path = tmp_path / "a.csv"
    pd.DataFrame(VALUES).assign(**{column: names})[[column, 0, 1, 2]].to_csv(path, index=False)
    np.testing.assert_allclose(brought(str(path), str(manifest), tmp_path), VALUES, rtol=1e-6)


@pytest.mark.parametrize("first", [{}, {"Unnamed: 0": [0, 1, 2, 3]}])
def test_names_may_be_numbers_beside_features_that_are_integers(tmp_path, first):
    names, values = ["1", "2", "3", "4"], np.array([[5, 7], [9, 3], [5, 1], [6, 6]])
    manifest = tmp_path / "manifest.csv"
    pd.DataFrame({"image_id": IDS, "path": [f"{name}.png" for name in names]}).to_csv(manifest, index=False)
    path = tmp_path / "a.csv"
    pd.DataFrame({**first, "number": names, "f0": values[:, 0], "f1": values[:, 1]}).to_csv(path, index=False)
    np.testing.assert_array_equal(brought(str(path), str(manifest), tmp_path), values)


def test_names_may_be_64_hexadecimal_digits_that_are_not_the_sha256_of_the_file(tmp_path):
    names, other = [3 * number + 16 * "c" for number in IDS], [f"{number:016x}" for number in range(10, 14)]
    manifest = tmp_path / "manifest.csv"
    pd.DataFrame({"image_id": other, "path": [f"{name}.png" for name in names]}).to_csv(manifest, index=False)
    table = write(tmp_path / "a.npz", names, VALUES)
    bring(table, str(manifest), tmp_path / "out.h5", {"code": "c", "settings": {"backbone": {"file": table}}})
    with store.reading(tmp_path / "out.h5", store.manifest_digest(other)) as file:
        np.testing.assert_array_equal(file["features"][:], VALUES)


@pytest.mark.parametrize("also_a_column", [False, True])
def test_names_may_be_the_index_of_a_parquet(tmp_path, manifest, also_a_column):
    path = tmp_path / "mine.parquet"
    table = pd.DataFrame(VALUES, columns=["a", "b", "c"]).assign(path=PATHS)
    table.set_index("path", drop=not also_a_column).to_parquet(path)
    np.testing.assert_array_equal(brought(str(path), manifest, tmp_path), VALUES)


def test_a_text_among_the_numbers_of_a_column_is_named(tmp_path, manifest):
    path = tmp_path / "mine.csv"
    table = pd.DataFrame(VALUES, columns=["a", "b", "c"]).astype({"b": object}).assign(file=PATHS)
    table.loc[2, "b"] = "1,5"
    table.to_csv(path, index=False)
    with pytest.raises(UserError, match="column b: found '1,5', allowed: numbers"):
        brought(str(path), manifest, tmp_path)


def test_names_that_two_images_share_do_not_match_by_name(tmp_path):
    path = tmp_path / "manifest.csv"
    pd.DataFrame({"image_id": IDS, "path": ["a/1.png", "b/1.png", "a/2.png", "b/2.png"]}).to_csv(path, index=False)
    table = write(tmp_path / "a.npz", ["1.png", "2.png"], VALUES[:2])
    with pytest.raises(UserError, match=r"4 of 4 images have no row of their own \(a/1\.png, b/1\.png, a/2\.png, …\)"):
        brought(table, str(path), tmp_path)


def test_names_of_two_folders_that_end_with_one_path_do_not_match(tmp_path, manifest):
    names = [f"/data/{folder}/{path}" for folder in ("train", "test") for path in PATHS]
    table = write(tmp_path / "a.npz", names, np.vstack([VALUES, VALUES + 1]))
    with pytest.raises(UserError, match=r"4 of 4 images have no row of their own"):
        brought(table, manifest, tmp_path)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_column_of_names_may_stand_behind_other_texts(tmp_path, manifest, suffix):
    table = pd.DataFrame(VALUES, columns=["f0", "f1", "f2"]).assign(label=list("xxyy"), Path=PATHS)
    table = table[["label", "Path", "f0", "f1", "f2"]]
    path = tmp_path / f"a{suffix}"
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path, index=False)
    np.testing.assert_allclose(brought(str(path), manifest, tmp_path), VALUES, rtol=1e-6)


@pytest.mark.parametrize(
    ("save", "says"),
    [
        (
            lambda path: np.savez(path, x=VALUES[:3], n=PATHS[:3]),
            r"1 of 4 images have no row of their own \(b/é 4\.png\)",
        ),
        (lambda path: np.savez(path, x=VALUES, n=[*PATHS[:3], PATHS[0]]), "'a/1.png' is there twice"),
        (lambda path: np.savez(path, x=VALUES, n=PATHS[:3]), "4 rows of numbers and 3 names"),
        (lambda path: np.savez(path, x=VALUES), r"found x float32 \(4, 3\), allowed: one array of numbers"),
        (lambda path: np.savez(path, x=VALUES, y=VALUES, n=PATHS), "allowed: one array of numbers"),
        (lambda path: np.savez(path, x=np.where(VALUES > 1, np.nan, VALUES), n=PATHS), "infinite or missing"),
        (lambda path: np.savez(path, x=VALUES, n=np.array(PATHS, dtype=object)), "cannot be read as a table"),
        (
            lambda path: np.savez(path, x=VALUES[:, :0], n=PATHS),
            r"x float32 \(4, 0\), n .*allowed: one array of numbers",
        ),
        (lambda path: path.write_bytes(b"nothing"), "cannot be read as a table: it is not what numpy.savez writes"),
    ],
)
def test_each_fault_is_one_line_with_the_file(tmp_path, manifest, save, says):
    path = tmp_path / "mine.npz"
    save(path)
    with pytest.raises(UserError, match=says) as caught:
        brought(str(path), manifest, tmp_path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_widths_are_known_before_the_run_where_the_standard_library_reads_them(tmp_path):
    for suffix, width in ((".npz", 3), (".csv", 3), (".parquet", None), (".h5", None)):
        assert brought_width(write(tmp_path / f"a{suffix}", PATHS, VALUES)) == width
    assert brought_width(str(tmp_path / "absent.npz")) is None

"""The house, as the design draws it: imports point down, methods keep their traits, axes are listed once."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from workflow_scripts.grid.axes import AXES, PARTS

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "workflow_scripts"
VOCABULARY = {"grid.axes", "grid.cells"}
"""What settings, stages and jobs take names from: the ground floor, though it lies with the grid."""
FLOORS = (
    {
        "all_pairs",
        "errors",
        "provenance",
        "seeds",
        "spreadsheets",
        "runlog",
        "kmeans_kernels",
        "scores",
        "vocabulary",
        "wording",
    },
    {"io"},
    {
        *("intake", "preprocess", "backbones", "reduce", "clusterers", "metrics", "consensus", "n_clusters"),
        *("figures", "pages", "models"),
    },
    {"settings"},
    {"grid"},
    {"planning"},
    {"jobs"},
)
LONGEST_JOB = 40
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _tree(module: str) -> ast.Module:
    return _parsed(MODULES[module])


def _imports(module: str) -> Iterator[str]:
    """The modules of ours that one imports, anywhere in it."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if _ours(name) in MODULES else str(node.module) for name in inside]
        else:
            continue
        yield from (_ours(name) for name in names if name.startswith(f"{PACKAGE.name}."))


def _ours(name: str) -> str:
    return name.removeprefix(f"{PACKAGE.name}.")


def _folder(module: str) -> str:
    return "vocabulary" if module in VOCABULARY else module.split(".")[0]


def _floor(module: str) -> int:
    return next(number for number, folders in enumerate(FLOORS) if _folder(module) in folders)


EDGES = {
    (module, imported)
    for module in MODULES
    for imported in _imports(module)
    if module != "__init__" and _folder(module) != _folder(imported)
}


def test_every_folder_has_a_floor():
    assert {_folder(module) for module in MODULES} - {"__init__", ""} <= set().union(*FLOORS)


def test_imports_point_down():
    assert not sorted(f"{module} -> {other}" for module, other in EDGES if _floor(module) < _floor(other))


def test_no_two_folders_import_each_other():
    folders = {(_folder(module), _folder(other)) for module, other in EDGES}
    assert not sorted((one, other) for one, other in folders if (other, one) in folders)


def test_no_circle_of_folders():
    below = {}
    for module, other in EDGES:
        below.setdefault(_folder(module), set()).add(_folder(other))
    seen: set[str] = set()

    def visit(folder: str, above: tuple[str, ...]) -> None:
        assert folder not in above, " -> ".join((*above, folder))
        if folder not in seen:
            for other in below.get(folder, ()):
                visit(other, (*above, folder))
            seen.add(folder)

    for folder in below:
        visit(folder, ())


@pytest.mark.parametrize("path", sorted((PACKAGE / "jobs").glob("*.py")), ids=lambda path: path.stem)
def test_jobs_are_thin(path):
    assert len(path.read_text().splitlines()) < LONGEST_JOB


def _settings_models() -> set[str]:
    """The names of all classes of the settings."""
    trees = (_tree(module) for module in MODULES if _folder(module) == "settings")
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def test_no_isinstance_of_settings_outside_them():
    models = _settings_models()
    asked = [
        f"{module}:{node.lineno}"
        for module in MODULES
        if _folder(module) != "settings"
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance"
        for name in ast.walk(node.args[1])
        if isinstance(name, ast.Name) and name.id in models and _is_of_settings(module, name.id)
    ]
    assert not asked


def _is_of_settings(module: str, name: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and str(node.module).startswith(f"{PACKAGE.name}.settings")
        and name in {alias.name for alias in node.names}
        for node in ast.walk(_tree(module))
    )


def _listed(tree: ast.AST) -> Iterator[tuple[int, set[str]]]:
    """The axes that a list, a tuple or a set names, with its line."""
    for node in ast.walk(tree):
        elements = node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else []
        named = {element.value for element in elements if isinstance(element, ast.Constant)} & AXES.keys()
        yield getattr(node, "lineno", 0), named


def test_axes_are_listed_in_one_place():
    """Three in a row are a list; two are the choices that a figure plots."""
    listed = [
        f"{module}:{line}: {', '.join(sorted(named))}"
        for module in MODULES
        if module != "grid.axes"
        for line, named in _listed(_tree(module))
        if len(named) > 2
    ]
    assert not listed


def test_rules_spell_out_no_path_of_a_cell_and_common_is_short():
    parts = "|".join(PARTS)
    for path in sorted((ROOT / "rules").glob("*.smk")):
        code = re.sub(r"#.*", "", path.read_text())
        assert not re.search(rf"\{{+({parts})\}}+/\{{+({parts})\}}+", code), path.name
    assert len((ROOT / "rules" / "common.smk").read_text().splitlines()) < 150


def test_all_is_spelled_once():
    """The subset that stands for all images has one name in the code."""
    spelled = [
        module
        for module in MODULES
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.Compare)
        for constant in [node.left, *node.comparators]
        if isinstance(constant, ast.Constant) and constant.value == "all" and "subset" in ast.dump(node)
    ]
    assert not spelled


TESTS = sorted((ROOT / "tests").rglob("*.py"))


def test_tests_import_no_private_name_and_no_other_test():
    """What several tests need stands in a module of its own; what is tested has a public name."""
    imported = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.module}.{alias.name}"
        for path in TESTS
        for node in ast.walk(_parsed(path))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if alias.name.startswith("_") or any(part.startswith("test_") for part in [*node.module.split("."), alias.name])
    ]
    assert not [name for name in imported if "__future__" not in name]


OF_SEVERAL = {
    *("clusterers/test_sklearn", "preprocess/test_steps", "planning/test_memory", "models/test_every_feature"),
    *("figures/test_axes", "figures/test_clusterers", "figures/test_clustering", "figures/test_dimension"),
    *("figures/test_drawing", "figures/test_named_images", "figures/test_study", "figures/test_tables"),
    *("intake/scale_bars/test_drawn", "intake/scale_bars/test_reading", "intake/scale_bars/test_real"),
    *("io/test_damage", "io/test_stores_bytes"),
    *("test_envs", "test_house", "test_light_starts", "test_profiles", "test_protocols"),
}
"""Tests of what several modules have in common, or of what is no module."""


def test_tests_lie_as_the_package_does():
    """A test has the name of a module or a folder, and lies where this lies; or that of the folder that it lies in."""
    unit = ROOT / "tests" / "unit"
    tests = {path.relative_to(unit).with_suffix("") for path in unit.rglob("test_*.py")}
    modules = {path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*")}
    allowed = modules | {folder / folder.name for folder in modules}
    elsewhere = {test for test in tests if test.with_name(test.name.removeprefix("test_")) not in allowed}
    assert elsewhere == {*map(Path, OF_SEVERAL)}


def _bound(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The names of variables, arguments, functions and classes, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.lineno, node.name


def test_a_name_says_what_a_thing_is():
    files = [*MODULES.values(), *TESTS]
    bound = [(file, *place) for file in files for place in _bound(_parsed(file))]
    assert not [f"{file}:{line}: {name}" for file, line, name in bound if name in ("it", "its", "told")]

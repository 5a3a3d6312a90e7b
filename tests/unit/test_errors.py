"""Messages about wrong names, and about what the operating system refuses, say what to do."""

import errno

import pytest

from workflow_scripts.errors import MOST_LETTERS, UserError, found_allowed, refusal, refusals_of, refused_input, shown


@pytest.mark.parametrize(
    ("given", "allowed", "message"),
    [
        ("gray", ["grey", "clahe"], "found 'gray', allowed: grey, clahe (did you mean grey?)"),
        ("x", ["grey", "clahe"], "found 'x', allowed: grey, clahe"),
        (None, [1, 2], "found nothing, allowed: 1, 2"),
        ("x", [], "found 'x', allowed: none, for none is defined"),
    ],
)
def test_a_wrong_name_is_said_with_the_nearest_one(given, allowed, message):
    assert found_allowed(given, allowed) == message


@pytest.mark.parametrize(
    ("value", "text"), [(None, "nothing"), (True, "true"), (False, "false"), (1, "1"), ("a\nb", r"'a\nb'"), ([], "[]")]
)
def test_values_are_shown_as_in_yaml_on_one_line(value, text):
    assert shown(value) == text


def test_a_long_value_is_shortened():
    assert shown("x" * 1000) == "'" + "x" * (MOST_LETTERS - 1) + " …"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "", "a.h5"), "a.h5: no space left; make room and run again"),
        (OSError(errno.EROFS, ""), "given: the file system is read-only; make it writable, or work in another folder"),
        (MemoryError(), "no memory left; run fewer jobs at once (--cores), or on a machine with more"),
        (OSError(errno.ENOENT, "", "a.h5"), None),
        (ValueError("ours"), None),
    ],
)
def test_what_the_system_refuses_is_a_line(error, line):
    assert refusal(error, "given") == line


def test_the_cause_of_a_librarys_error_is_named_and_ours_are_left_alone():
    full = OSError(errno.ENOSPC, "", "a.h5")
    with pytest.raises(UserError, match=r"^a\.h5: no space left"), refusals_of("a.h5"):
        raise RuntimeError("can't write") from full
    with pytest.raises(ValueError, match="ours"), refusals_of("a.h5"):
        raise ValueError("ours")
    with pytest.raises(UserError, match=r"^a mistake$"), refusals_of("a.h5"):
        raise UserError("a mistake") from full


def test_an_input_that_has_gone_is_a_line():
    assert str(refused_input(FileNotFoundError(errno.ENOENT, ""), "a.h5")) == (
        "a.h5: it has gone since the run began; run again"
    )
    assert refused_input(ValueError(), "a.h5") is None

"""The peak of the memory of functions, each in a process of its own that is forked where the libraries are loaded."""

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from tests.workflow import ROOT


def peaks(modules: Sequence[str], calls: Sequence[tuple[str, Mapping[str, Any]]]) -> list[float]:
    """Return the highest resident memory of each call, MB, with the libraries of `modules`.

    A call is a function, `module:name`, and its arguments. Raises AssertionError with the output if a call fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.peak_memory"],
        input=json.dumps([modules, calls]),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _peak(name: str, arguments: Mapping[str, Any]) -> float:
    """Return the resident memory that a forked call reached, MB."""
    child = os.fork()
    if child == 0:
        module, _, function = name.partition(":")
        status = 1
        try:
            getattr(import_module(module), function)(**arguments)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise AssertionError(f"{name} {dict(arguments)} ended with {status}")
    return usage.ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    modules, calls = json.load(sys.stdin)
    for module in modules:
        import_module(module)
    print(json.dumps([_peak(name, arguments) for name, arguments in calls]))

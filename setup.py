"""The build of the C kernels of k-means, which pyproject.toml cannot describe.

The extension is a plain shared library, loaded with ctypes. It is optional: without a compiler the installation goes
on, and k-means takes the slower torch path. It holds the digest of its sources, by which `native.py` knows a stale one.
"""

from hashlib import sha256
from pathlib import Path

from setuptools import Extension, setup

FOLDER = "workflow_scripts/clusterers/kmeans"
SOURCES = ["_kernel.c", "_kernel_avx512.c", "_kernel_avx2.c", "_kernel_base.c"]
HEADERS = ["_kernel.h", "_kernel_impl.h", "_simd.h"]
DIGEST = sha256(b"".join(path.read_bytes() for path in sorted(Path(FOLDER).glob("*.[ch]")))).hexdigest()

setup(
    ext_modules=[
        Extension(
            "workflow_scripts.clusterers.kmeans._kernel",
            sources=[f"{FOLDER}/{name}" for name in SOURCES],
            depends=[f"{FOLDER}/{name}" for name in HEADERS],
            define_macros=[("SOURCES_DIGEST", f'"{DIGEST}"')],
            extra_compile_args=["-O3", "-std=gnu11", "-ffp-contract=fast", "-Wno-psabi"],
            optional=True,
        )
    ]
)

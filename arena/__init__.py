"""Arena: spoken digits for courses and small competitions. Importing the package loads nothing else."""

from __future__ import annotations


def __getattr__(name: str) -> str:
    if name == "__version__":
        import importlib.metadata

        return importlib.metadata.version("arena-spoken-digits")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Other files or distributions that hide a package of Arena, such as a `cnn.py` beside a notebook. Standard library only."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # what `import arena` imports first is light
if TYPE_CHECKING:
    from pathlib import Path

_PACKAGES = ("cnn", "leaderboard", "reports", "sweeps")


class NamesakeError(ImportError):
    """A package of Arena that is hidden; where nobody catches it, one line is all that is printed."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        sys.excepthook = _print_line

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of the traceback."""
        return [f"error: {self}"]


def check_namesakes() -> None:
    """Check that Arena's packages are those beside this file; nothing of a namesake is run.

    Raises:
        NamesakeError: one is not.
    """
    from pathlib import Path

    folder = Path(__file__).resolve().parents[2]  # holds Arena's packages: a clone, or site-packages
    for name in _PACKAGES:
        home = _locate(name)
        if home is None or home.parent != folder / name:
            raise NamesakeError(_explain(name, home))


def _locate(name: str) -> Path | None:
    """Return the file of a package or module, or the folder of a package without `__init__.py`; None for neither."""
    import importlib.util
    from pathlib import Path

    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # a module without a specification
        return None
    paths = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
    return next((Path(path).resolve() for path in paths if path), None)


def _explain(name: str, home: Path | None) -> str:
    import importlib.metadata

    from arena.base.install import install_command

    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return f"{home or f'a module {name}'} hides Arena's package {name!r}: rename it"
    return f"the package {name!r} of another project hides Arena's: pip uninstall {name}, then {install_command()}"


def _print_line(kind: type[BaseException], error: BaseException, trace: object) -> None:
    if isinstance(error, NamesakeError):
        print(f"error: {error}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)  # type: ignore[arg-type]

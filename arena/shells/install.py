"""Installation of completion for the user's shell."""

from __future__ import annotations

import os
from pathlib import Path

from arena.base.errors import ArenaError

SHELLS = ("bash", "zsh", "fish")
_ZSH_LINE = "fpath=(~/.zfunc $fpath); autoload -Uz compinit; compinit"


class ShellError(ArenaError):
    """A shell that has no completion here, or whose files cannot be written."""


def read_script(shell: str = "") -> str:
    """Return the script of a shell, by default the user's.

    Raises:
        ShellError: it is not bash, zsh or fish.
    """
    return (Path(__file__).parent / "scripts" / f"arena.{shell or find_shell()}").read_text(encoding="utf-8")


def find_shell() -> str:
    """Return the name of the user's shell.

    Raises:
        ShellError: it is not bash, zsh or fish.
    """
    name = Path(os.environ.get("SHELL", "")).name.removesuffix(".exe")
    if name not in SHELLS:
        raise ShellError(f"completion is for {', '.join(SHELLS)}, and SHELL is {name!r}; type SHELL=bash before the command")
    return name


def install_completion() -> Path:
    """Write the script of the user's shell to where the shell finds it, and return its path.

    Raises:
        ShellError: the shell has none, or a file cannot be written.
    """
    shell, home = find_shell(), Path.home()
    path = {
        "bash": home / ".bash_completions" / "arena.sh",
        "zsh": home / ".zfunc" / "_arena",
        "fish": home / ".config" / "fish" / "completions" / "arena.fish",
    }[shell]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(read_script(shell), encoding="utf-8")
        if shell == "bash":
            _add_line(home / ".bashrc", f"source '{path}'")
        elif shell == "zsh":
            _add_line(home / ".zshrc", _ZSH_LINE)
    except OSError as error:
        raise ShellError(
            f"{error.filename} cannot be written: {error.strerror}; `arena --show-completion` prints it"
        ) from error
    return path


def _add_line(file: Path, line: str) -> None:
    content = file.read_text(encoding="utf-8") if file.exists() else ""
    if line not in content.splitlines():
        file.write_text(f"{content.rstrip()}\n{line}\n".lstrip("\n"), encoding="utf-8")

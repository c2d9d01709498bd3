"""`arena notebook mlp` and the other lessons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.base.options import Force, out_option
from arena.base.terminal import say
from arena.base.texts import read_words
from arena.lessons.notebook import NAMES, TEXTS, build_lesson
from arena.starter.languages import IN_ENGLISH, Lang
from reports.documents.notebook_file import check_notebook, write_notebook

_ABOUT = {
    "mlp": "Write a lesson on the training loop: in plain PyTorch, and the same by Arena, curves side by side.",
    "scratch": "Write a lesson on a net in NumPy alone: its code piece by piece, the gradient check, a training.",
    "optimisers": "Write a lesson on how nets learn: optimisers, batch sizes and normalisation, with seeds.",
    "architectures": "Write a lesson on convolutional nets: receptive fields, weights, and what a net looks at.",
    "autoencoder": "Write a lesson on autoencoders: reconstruction beside PCA, latent space, denoising.",
}
_MORE = "It runs on the tiles in `tiles`, pictures or sound; where there are none, on scikit-learn's digits, without a network."

app = typer.Typer()


def _add_lesson(name: str) -> None:
    @app.command(
        name,
        help=f"{_ABOUT[name]}\n\n{_MORE}",
        epilog=f"Examples: `arena notebook {name}` · `arena notebook {name} --lang es --out lesson.ipynb`",
    )
    def write_lesson(
        lang: Lang = IN_ENGLISH,
        out: Annotated[Path, out_option("The notebook to write; one that was edited is not replaced.")] = Path(f"{name}.ipynb"),
        force: Force = False,
    ) -> None:
        check_notebook(out, force=force)
        write_notebook(build_lesson(name, read_words(TEXTS, lang.value)), out)
        say(f"wrote {out}; open it in Jupyter, or upload it to Colab with Arena's wheel")
        print(out)


for lesson in NAMES:
    _add_lesson(lesson)

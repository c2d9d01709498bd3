"""`arena exercise`: notebooks with holes, and the checks of what was put into them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from arena.base.options import Force, Json, out_option
from arena.base.terminal import print_json, say
from arena.base.texts import read_words
from arena.exercises.check import ExerciseError, check_exercise
from arena.exercises.notebook import NAMES, TEXTS, build_exercise
from arena.starter.languages import IN_ENGLISH, Lang
from reports.documents.notebook_file import check_notebook, write_notebook

_ABOUT = {
    "plot": "Write the exercise on a wrong plot: validation every 600 batches and training every epoch on one axis.",
    "xor": "Write the exercise on XOR: what a perceptron cannot do, and a net with a hidden layer can.",
    "backprop": "Write the exercise on backpropagation: holes in backward steps, decided by a gradient check.",
    "receptive-field": "Write the exercise on receptive fields and parameters: by formula, checked against measured ones.",
}
_MORE = "A checker after each hole says what is wrong, never the answer. Cells are in nbgrader's format."

app = typer.Typer(no_args_is_help=True, epilog="Examples: `arena exercise xor` · `arena exercise check xor.ipynb`")


@app.callback()
def _group() -> None:
    """Notebooks with holes, and a checker that says what is wrong; `arena notebook` has those that are whole."""


def _add_exercise(name: str) -> None:
    @app.command(
        name,
        help=f"{_ABOUT[name]}\n\n{_MORE}",
        epilog=f"Examples: `arena exercise {name}` · `arena exercise {name} --lang es --solution solution.ipynb`",
    )
    def write_exercise(
        lang: Lang = IN_ENGLISH,
        out: Annotated[Path, out_option("The notebook to write; one that was edited is not replaced.")] = Path(f"{name}.ipynb"),
        solution: Annotated[
            Path | None,
            typer.Option(
                "--solution", metavar="FILE", help="Write the host's notebook there instead, with the solutions in it."
            ),
        ] = None,
        force: Force = False,
    ) -> None:
        path = solution or out
        check_notebook(path, force=force)
        write_notebook(build_exercise(name, read_words(TEXTS, lang.value), is_solved=solution is not None), path)
        is_for = (
            "the host's, which no student is given" if solution else f"fill its holes; `arena exercise check {path}` checks"
        )
        say(f"wrote {path}: {is_for}")
        print(path)


for exercise in NAMES:
    _add_exercise(exercise)


@app.command(epilog="Examples: `arena exercise check xor.ipynb` · `arena exercise check xor.ipynb --json`")
def check(
    notebook: Annotated[list[Path], typer.Argument(metavar="NOTEBOOK", help="Notebooks of `arena exercise`, with answers.")],
    as_json: Json = False,
) -> None:
    """Check the answers in notebooks: a line for each question, which says what is wrong, never the answer.

    This runs the notebook's code with your rights on this machine. Check your own; files of others only where their code may
    do no harm, such as in a container.
    """
    say("this runs the code of the notebook with your rights; files of others only where that may do no harm")
    verdicts = [(path, verdict) for path in notebook for verdict in check_exercise(path)]
    if as_json:
        print_json([{"notebook": str(path), **asdict(verdict)} for path, verdict in verdicts])
    else:
        for path, verdict in verdicts:
            print(f"{path}: {verdict.question}: {'right' if verdict.is_right else verdict.message}")
    n_wrong = sum(not verdict.is_right for _, verdict in verdicts)
    if n_wrong:
        raise ExerciseError(f"{n_wrong} of {len(verdicts)} answers are not right yet; change their cells, and check again")

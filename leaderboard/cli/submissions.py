"""`arena contest files` and `alike`: everything that teams sent, and whose answers agree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import CONTEST_FILE, ContestPath, Json, Wide
from arena.base.terminal import Column, Number, Prose, print_json, print_table, progress, say
from leaderboard.cli.options import load_contest, to_plain

if TYPE_CHECKING:
    from leaderboard.actions.alike import AlikePair


app = typer.Typer()


@app.command("files", epilog="Example: arena contest files submissions.zip")
def files_command(
    file: Annotated[Path, typer.Argument(metavar="OUT", help="The new zip.")],
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Write all submissions and models into one zip, with an index of teams, times, scores and notes. Never over another."""
    from leaderboard.actions.archive import count_files, stream_archive
    from leaderboard.errors import ContestError

    with load_contest(contest) as opened:
        n_pieces, has_private = count_files(opened), opened.solution.has_private
        temporary = file.with_name(f".{file.name}.part")
        try:
            if file.exists():
                raise ContestError(f"{file} exists and no file is overwritten; give another path")
            with temporary.open("wb") as out, progress("files", n_pieces) as advance:
                for piece in stream_archive(opened, with_private=has_private):
                    out.write(piece)
                    advance(1)
            temporary.replace(file)
        except OSError as error:
            raise ContestError(f"{file} cannot be written ({error.strerror}); choose a folder that is writable") from error
        finally:
            temporary.unlink(missing_ok=True)
    print(f"{file} holds {n_pieces - 2} files and index.csv" + ("; the index has private scores" if has_private else ""))


@app.command("alike", epilog="Example: arena contest alike --json")
def alike_command(contest: ContestPath = CONTEST_FILE, wide: Wide = False, as_json: Json = False) -> None:
    """List answers of different teams that are alike: equal, or agreeing more than two nets that worked alone.

    It says what agrees, never why: two honest teams may train the same net from the same seed. Look before you ask.
    """
    from leaderboard.actions.alike import find_alike

    with load_contest(contest) as opened:
        pairs = find_alike(opened)
    if as_json:
        return print_json([to_plain(pair) for pair in pairs])
    alike = [pair for pair in pairs if pair.is_alike]
    if not alike:
        return say(f"no answers are alike among {len(pairs):,} pairs of teams; --json has the counts of each pair")
    columns = (Prose("team"), Number("attempt"), Prose("team"), Number("attempt"), Column("equal rows"))
    print_table((*columns, Column("same wrong"), Number("expected"), Number("p")), [_format_pair(pair) for pair in alike])
    say(f"{len(alike):,} of {len(pairs):,} pairs; what agrees is said, not why: look at notes and models before you ask")


def _format_pair(pair: AlikePair) -> tuple[str, ...]:
    of_wrong = f"{pair.n_same_wrong} of {pair.n_wrong[0]} and {pair.n_wrong[1]}"
    equal = "same file" if pair.is_same_file else f"{pair.n_equal} of {pair.n_rows}"
    numbers = [str(number) for number in pair.numbers]
    return pair.teams[0], numbers[0], pair.teams[1], numbers[1], equal, of_wrong, f"{pair.n_expected:.1f}", f"{pair.p:.1g}"

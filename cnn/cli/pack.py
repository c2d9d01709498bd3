"""`arena contest pack`: a folder for the students of a contest, and one for its host."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.base.options import ADDRESS_HELP, CorpusFolder, DryRun, Json, out_option, reading_line
from arena.base.project import check_address
from arena.base.terminal import print_json, progress, say
from cnn.cli.data import scan_with_bar
from cnn.cli.options import Cache, Jobs

if TYPE_CHECKING:
    from cnn.corpus.scan import Corpus
    from cnn.pack.near_duplicates import Matches
    from cnn.pack.plan import PackPlan, PackSettings


app = typer.Typer()
_MOST_PAIRS = 5  # pairs that are named; all stand in host/pack.json and in --json


class Alike(StrEnum):
    """Choices for test clips that are training recordings too."""

    REPORT = "report"
    LEAVE_OUT = "leave-out"
    OFF = "off"


@app.command(
    epilog="Examples: `arena contest pack corpus --n-test-speakers 12 --out pack --zip` · "
    "`arena contest pack fsdd --test-speakers theo,lucas --out pack --dry-run`"
)
def pack(
    corpus: CorpusFolder,
    out: Annotated[Path, out_option("The new folder.", show_default=False)],
    test_speakers: Annotated[str, typer.Option(help="Who is held out: names, with commas.", show_default=False)] = "",
    n_test_speakers: Annotated[int, typer.Option(min=0, help="Or how many, drawn.", show_default=False)] = 0,
    n_hidden_speakers: Annotated[
        int,
        typer.Option(
            min=0, help="How many more are kept for verify, heard by nobody.", show_default="the test clips, disguised anew"
        ),
    ] = 0,
    secret: Annotated[
        str, typer.Option(help="Makes the same pack again; it gives the labels away.", show_default="a new one")
    ] = "",
    gain_db: Annotated[float, typer.Option(help="A test clip is made louder or quieter by up to this; 0: not.")] = 3.0,
    shift_ms: Annotated[float, typer.Option(help="And moved by up to this; 0: not.")] = 50.0,
    noise_db: Annotated[float, typer.Option(help="And noise is added, so far below its level; 0: none.")] = 40.0,
    length_s: Annotated[
        float, typer.Option(help="Length of every test file.", show_default="of the longest clip, at most 2")
    ] = 0.0,
    public: Annotated[float, typer.Option(help="Share of test rows that score in public; 1: all.")] = 0.5,
    usage: Annotated[
        str, typer.Option(help="speaker: some voices are public; row: some rows of each; auto: speaker from 8 voices on.")
    ] = "auto",
    address: Annotated[str, typer.Option(metavar="URL", help=ADDRESS_HELP, show_default=False)] = "",
    deadline: Annotated[
        str, typer.Option(help="The last moment that counts: ISO 8601 with its offset.", show_default=False)
    ] = "",
    licence: Annotated[
        str, typer.Option(help="Of the recordings, for the README.", show_default="that of `arena data get`")
    ] = "",
    sources: Annotated[
        str, typer.Option(help="Who recorded them, for the README.", show_default="that of `arena data get`")
    ] = "",
    alike: Annotated[
        Alike, typer.Option(help="Test clips that are training recordings too: told of, left out, or not looked for.")
    ] = Alike.REPORT,
    zip_students: Annotated[bool, typer.Option("--zip", help="Also write students.zip.")] = False,
    dry_run: DryRun = False,
    jobs: Jobs = 0,
    cache: Cache = None,
    json: Json = False,
) -> None:
    """Make what students get (training clips, test clips under meaningless ids, a starter) and what only the host keeps."""
    from cnn.corpus.listing import describe_kinds
    from cnn.pack.audio import Disguise
    from cnn.pack.handout import read_deadline
    from cnn.pack.plan import PackSettings
    from cnn.pack.write import check_free, write_pack

    check_free(out)
    with reading_line():
        check_address(address)
        settings = PackSettings(
            test_speakers=tuple(name.strip() for name in test_speakers.split(",") if name.strip()),
            n_test_speakers=n_test_speakers,
            n_hidden_speakers=n_hidden_speakers,
            secret=secret,
            disguise=Disguise(gain_db=gain_db, shift_ms=shift_ms, noise_db=noise_db),
            length_s=length_s,
            public=public,
            usage=usage,
            address=address,
            deadline=deadline,
            licence=" ".join(licence.split()),
            sources=" ".join(sources.split()),
        )
        read_deadline(deadline)
    scanned = scan_with_bar(corpus, jobs, cache)
    if scanned.ignored:
        say(describe_kinds(scanned.ignored))
    plan = _plan(scanned, settings, alike)
    _say_notes(plan)
    if not dry_run:
        with progress("packing, clips", len(plan.train) + len(plan.test) + len(plan.hidden)) as advance:
            write_pack(plan, out, with_zip=zip_students, advance=advance)
    print_json(_as_dict(plan, out, dry_run)) if json else print(_describe(plan, out, dry_run, zip_students))


def _plan(corpus: Corpus, settings: PackSettings, alike: Alike) -> PackPlan:
    """Plan the pack and compare its two sides."""
    from cnn.pack.near_duplicates import find_near_duplicates
    from cnn.pack.plan import plan_pack

    plan = plan_pack(corpus, settings)
    if alike is Alike.OFF:
        return plan
    test = list({row.clip.id: row.clip for row in (*plan.test, *plan.hidden)}.values())
    with progress("comparing, clips", len(plan.train) + 2 * len(test)) as advance:
        matches = find_near_duplicates(corpus.folder, plan.train, test, advance)
    if matches.pairs and alike is Alike.LEAVE_OUT:
        plan = plan_pack(corpus, plan.settings, {pair.test.id for pair in matches.pairs})
    return replace(plan, matches=matches)


def _say_alike(matches: Matches, is_left_out: bool) -> None:
    pairs = matches.pairs
    if not pairs:
        say("no test clip was found among the training recordings")
    else:
        names = ", ".join(f"{pair.test.path} is {pair.train.path} ({pair.similarity:.2f})" for pair in pairs[:_MOST_PAIRS])
        more = f" and {len(pairs) - _MOST_PAIRS} more" if len(pairs) > _MOST_PAIRS else ""
        n = "1 test clip is a training recording" if len(pairs) == 1 else f"{len(pairs):,} test clips are training recordings"
        outcome = "left out" if is_left_out else "`--alike leave-out` leaves them out of the pack"
        say(f"{n} too: {names}{more}; {outcome}")
    for voice in matches.voices:
        warning = f"test speaker {voice.first} sounds like training speaker {voice.second} (distance {voice.distance:.2f})"
        say(f"{warning}: listen to both, and if they are one person, hold both out")


def _say_notes(plan: PackPlan) -> None:
    for note in plan.notes:
        say(note)
    if plan.matches is not None:
        _say_alike(plan.matches, bool(plan.left_out))
    if plan.settings.disguise.is_none:
        say("test clips keep their samples: whoever has the recordings finds them by their bytes")


def _as_dict(plan: PackPlan, out: Path, dry_run: bool) -> dict[str, Any]:
    from cnn.pack.write import matches_as_json

    return {
        "pack": str(out),
        "is_written": not dry_run,
        "n_train": len(plan.train),
        "n_test": len(plan.test),
        "n_hidden": len(plan.hidden),
        "n_public": sum(row.is_public for row in plan.test),
        "train_speakers": plan.train_speakers,
        "test_speakers": plan.test_speakers,
        "hidden_speakers": plan.hidden_speakers,
        "usage": plan.usage,
        "rate_hz": plan.format.rate_hz,
        "n_bits": 8 * plan.format.n_bytes,
        "length_s": plan.length_s,
        "notes": plan.notes,
        "alike": matches_as_json(plan.matches),
        "left_out": [clip.path.as_posix() for clip in plan.left_out],
    }


def _describe(plan: PackPlan, out: Path, dry_run: bool, zip_students: bool) -> str:
    n_public = sum(row.is_public for row in plan.test)
    parts = {
        "": "all public",
        "speaker": f"{n_public:,} public ({', '.join(plan.public_speakers)}), the others' private",
        "row": f"{n_public:,} of them public, the same share of each voice and digit",
    }[plan.usage]
    own = "the test clips, disguised anew" if plan.hidden_speakers == plan.test_speakers else ", ".join(plan.hidden_speakers)
    facts = (
        f"train: {len(plan.train):,} clips of {', '.join(plan.train_speakers)}\n"
        f"test: {len(plan.test):,} clips of {', '.join(plan.test_speakers)}, {parts}; "
        f"{plan.length_s:g} s each, {plan.format.rate_hz} Hz, {8 * plan.format.n_bytes} bits\n"
        f"hidden: {len(plan.hidden):,} clips of {own}, for `arena contest verify` alone\n"
    )
    if dry_run:
        return f"{facts}nothing is written"
    gift = f"{out / 'students.zip'}" if zip_students else f"{out / 'students'}"
    return (
        f"{facts}hand out {gift}; keep {out / 'host'} for yourself\n"
        f'next: arena contest init {out / "host" / "solution.csv"} --name "..." --deadline ...'
    )

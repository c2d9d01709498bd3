"""`arena data synth`, `get` and `import`: recordings, and the plan of an import."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import DryRun, Json, Wide, n_clips_option, n_speakers_option, reading_line
from arena.base.terminal import Column, Number, Prose, print_json, print_table, print_text, progress, say

if TYPE_CHECKING:
    from cnn.collect.import_plan import ImportPlan


app = typer.Typer()


@app.command(
    epilog="Examples: `arena data synth digits --n-clips 3000 --n-speakers 60 --language en,es` · "
    "`arena data synth secret --for-contest`"
)
def synth(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New folder for the recordings.", show_default=False)],
    n_clips: Annotated[int, n_clips_option()] = 3000,
    n_speakers: Annotated[int, n_speakers_option()] = 60,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal bytes.", min=0)] = 0,
    for_contest: Annotated[
        bool, typer.Option("--for-contest", help="Draw a secret seed: of a known one anybody makes the same clips.")
    ] = False,
    language: Annotated[str, typer.Option(help="en, es, or en,es: the voices take turns.")] = "en",
) -> None:
    """Make a corpus of synthetic spoken digits, in AudioMNIST's layout."""
    from cnn.collect.synth import SECRET_BITS, SynthSettings, is_complete, synthesise
    from cnn.corpus.listing import SYNTH_NAME

    languages = tuple(name.strip() for name in language.split(","))
    if for_contest and seed:
        raise typer.BadParameter("--for-contest draws a secret seed and --seed names one; leave one of the two out")
    seed = secrets.randbits(SECRET_BITS) | 1 << SECRET_BITS if for_contest else seed
    with reading_line():
        settings = SynthSettings(clips=n_clips, speakers=n_speakers, seed=seed, languages=languages)
    if is_complete(out, settings):
        say(f"{out} holds these {n_clips} clips of {n_speakers} voices already")
        return
    with progress("speaking", n_clips) as advance:
        synthesise(out, settings, advance)
    if for_contest:
        say(f"{out / SYNTH_NAME} holds the secret seed: hand out what `arena contest pack` makes, never this folder")
    say(f"{out} holds {n_clips} clips of {n_speakers} voices; next: arena data scan {out}")


@app.command(
    "get", epilog="Examples: `arena data get fsdd` · `arena data get --list` · `arena data get audiomnist --archive master.zip`"
)
def get_command(
    name: Annotated[
        str, typer.Argument(metavar="SOURCE", help="audiomnist, fsdd, speech-commands-digits, mnist, fashion-mnist or cifar10.")
    ] = "",
    out: Annotated[
        Path | None, typer.Argument(metavar="OUT", help="New folder; by default the name.", show_default=False)
    ] = None,
    mirror: Annotated[
        list[str] | None, typer.Option(help="Another address of the archive; several are tried in order.")
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(help="The archive (tar or zip) as a browser saved it, or the folder of its files: no network then."),
    ] = None,
    keep_archive: Annotated[bool, typer.Option("--keep-archive", help="Keep what was downloaded beside the folder.")] = False,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Take the archive though it differs from what is known.")
    ] = False,
    list_: Annotated[
        bool, typer.Option("--list", help="Show what can be fetched, its size and licence; fetch nothing.")
    ] = False,
    wide: Wide = False,
    json: Json = False,
) -> None:
    """Fetch a public corpus: resumed where it broke off, verified, its licence and citation beside it."""
    import cnn.collect.fetch
    import cnn.pictures.fetch
    from cnn.collect.catalogue import find_source
    from cnn.collect.download import Hooks
    from cnn.collect.picture_catalogue import PictureCorpus

    if list_ or not name:
        return _print_sources(json)
    with reading_line():
        source = find_source(name)
    options = cnn.collect.fetch.FetchOptions(
        mirrors=tuple(mirror or ()), archive=archive, keep_archive=keep_archive, verify=not unverified
    )
    folder, hooks = out or Path(source.name), Hooks(say=say)
    if isinstance(source, PictureCorpus):
        result = cnn.pictures.fetch.fetch_pictures(source, folder, options, hooks)
    else:
        result = cnn.collect.fetch.fetch_corpus(source, folder, options, progress, hooks)
    if json:
        facts = {name: getattr(result, name) for name in ("n_clips", "was_there", "verified")}
        return print_json({"folder": str(result.folder), **facts})
    origin = ", there already" if result.was_there else f"; verified: {result.verified}"
    items, command = ("pictures", "pictures") if isinstance(source, PictureCorpus) else ("recordings", "prepare")
    print(f"{result.folder}: {result.n_clips:,} {items}{origin}")
    print(f"licence {source.licence} ({source.licence_url})\ncite {source.citation}")
    print(f"next: arena data {command} {result.folder}")


def _print_sources(json: bool) -> None:
    from cnn.collect.catalogue import SOURCES
    from cnn.collect.fetch import size_words
    from cnn.collect.picture_catalogue import PICTURE_CORPORA

    if json:
        fields = ("name", "title", "n_clips", "n_speakers", "rate_hz", "archive_bytes", "licence", "citation", "sha256", "urls")
        every = (*SOURCES, *PICTURE_CORPORA)
        return print_json([{key: getattr(source, key) for key in fields if hasattr(source, key)} for source in every])
    rows = [[s.name, f"{s.n_clips:,}", s.n_speakers, f"{s.rate_hz // 1000} kHz", size_words(s), s.licence] for s in SOURCES]
    columns = (Column("name"), Number("clips"), Prose("speakers"), Number("rate", 2), Number("download"), Prose("licence"))
    print_table(columns, rows)
    print()
    rows = [[p.name, f"{p.n_clips:,}", str(p.n_classes), f"{p.archive_bytes / 1e6:.0f} MB", p.licence] for p in PICTURE_CORPORA]
    numbers = (Number("pictures"), Number("classes"), Number("download"))
    print_table((Column("name"), *numbers, Prose("licence")), rows)
    for source in (*SOURCES, *PICTURE_CORPORA):
        print_text(f"{source.name}: {source.title}\n  {source.urls[0]}\n  {source.citation}")


@app.command(
    "import",
    epilog="Examples: `arena data import phones corpus --dry-run` · `arena data import phones corpus --pattern "
    "'{speaker}/{label}-{take}'` · `arena data import takes corpus --split-silence --digits 0123456789`",
)
def import_(
    folder: Annotated[
        Path, typer.Argument(metavar="RECORDINGS", help="Your recordings, of any format. Only read.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="The corpus folder, new or imported into before.", show_default=False)
    ],
    pattern: Annotated[str, typer.Option(help="How paths are made, of {speaker}, {label}, {take} and {any}.")] = "",
    table: Annotated[Path | None, typer.Option(help="A CSV with the columns path, label, speaker.")] = None,
    words: Annotated[str, typer.Option(help="Ten words for 0 to 9, with commas, if yours are not known.")] = "",
    speaker: Annotated[str, typer.Option(help="Who speaks where no name says it.")] = "",
    split_silence: Annotated[bool, typer.Option("--split-silence", help="Each file holds several digits with pauses.")] = False,
    digits: Annotated[str, typer.Option(help="With --split-silence: which, in order.")] = "0123456789",
    min_gap: Annotated[float, typer.Option(help="With --split-silence: the shortest pause, in seconds.")] = 0.25,
    trim: Annotated[bool, typer.Option("--trim", help="Cut silence off both ends.")] = False,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wide: Wide = False,
    json: Json = False,
) -> None:
    """Bring recordings of any naming into a corpus; importing again adds only what is new. A plan is shown first."""
    from cnn.collect.import_page import plan_as_json, print_plan, print_result
    from cnn.collect.import_plan import ImportOptions
    from cnn.collect.importing import find_files, plan_import, write_import

    split = digits if split_silence else ""
    with reading_line():
        options = ImportOptions(
            pattern=pattern, table=table, words=words, speaker=speaker, split_digits=split, min_gap_s=min_gap, trim=trim
        )
    with progress("listening", len(find_files(folder, out).recordings)) as advance:
        plan = plan_import(folder, out, options, advance)
    is_agreed = not dry_run and (yes or not plan.needs_consent)
    if not json:
        print_plan(plan)
        is_agreed = is_agreed or (not dry_run and _ask(plan))
    n_files = len(plan.clips) + len(plan.renames)
    if is_agreed and n_files:
        with progress("writing", n_files) as advance:
            write_import(plan, advance)
    print_json(plan_as_json(plan, is_agreed)) if json else print_result(plan, is_agreed)
    if plan.is_empty or not (is_agreed or dry_run):
        raise typer.Exit(1)


def _ask(plan: ImportPlan) -> bool:
    """Ask whether the plan is right, on a terminal; elsewhere nobody can answer, and it is not."""
    if not sys.stdin.isatty():
        return False
    return typer.confirm(f"Is this right, and may {plan.out} be written?")

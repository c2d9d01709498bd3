"""`arena data scan` and `card`: the recordings of a folder, read and counted, and a page that describes them."""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import CorpusFolder, Device, Json, Runs, Tiles, Wide, out_option
from arena.base.terminal import Column, Number, print_json, print_table, print_text, progress, say
from cnn.cli.options import Cache, CorpusNames, FurtherCorpora, Jobs

if TYPE_CHECKING:
    from cnn.corpus.balance import Balance
    from cnn.corpus.scan import Corpus


_N_PROBLEMS_SHOWN = 20
_N_SAID = 5  # problems that other commands name
_N_SPEAKERS_SHOWN = 12
_INDENT = 10  # for facts, behind their names

app = typer.Typer(
    no_args_is_help=True,
    help="Recordings: get, import or make some, look at them, turn them into tiles.",
    epilog="Example: `arena data get fsdd`, then `arena data prepare fsdd`",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanOptions:
    """How corpora are read."""

    n_jobs: int = 0
    cache: Path | None = None
    names: Sequence[str] | None = None  # the corpora's, in their order


@app.command("scan", epilog="Examples: `arena data scan recordings --strict` · `arena data scan fsdd audiomnist`")
def scan_command(
    folder: CorpusFolder,
    more: FurtherCorpora = None,
    all_problems: Annotated[bool, typer.Option("--all-problems", help="List every problem, not the first 20.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when there is any problem.")] = False,
    jobs: Jobs = 0,
    cache: Cache = None,
    wide: Wide = False,
    json: Json = False,
) -> None:
    """Read every recording and say what can be used, what cannot, and whether augmentation is called for."""
    from cnn.corpus.balance import measure_balance
    from cnn.errors import CorpusError

    folders = [folder, *(more or [])]
    corpora = [scan_with_bar(each, jobs, cache) for each in folders]
    if json:
        contents = [_as_json(corpus, measure_balance(corpus)) for corpus in corpora]
        print_json({"corpora": contents} if more else contents[0])
    else:
        for number, corpus in enumerate(corpora):
            print("\n" * (number > 0), end="")
            _print(corpus, measure_balance(corpus), all_problems)
    if strict and (n_problems := sum(len(corpus.problems) for corpus in corpora)):
        where = " and ".join(map(str, folders))
        raise CorpusError(f"{plural(n_problems, 'problem')} in {where} and --strict was given; fix or remove those files")


def scan_with_bar(folder: Path, n_jobs: int, cache: Path | None) -> Corpus:
    """Scan with a progress bar, and with a cache in `cache` or the user's cache folder.

    Raises:
        CorpusError: as `scan` raises it.
    """
    from cnn.corpus.scan import scan
    from cnn.processes import WorkOptions

    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return scan(folder, WorkOptions(n_jobs=n_jobs, bar=lambda n: progress("listening", n)), cache or home / "arena")


def scan_together(folders: Sequence[Path], options: ScanOptions) -> Corpus:
    """Scan one corpus, or several that become one, whose clips and speakers carry their names.

    Raises:
        CorpusError: as `scan`, `name_corpora` and `join_corpora` raise it.
    """
    from cnn.corpus.join import join_corpora, name_corpora

    names = name_corpora(folders, options.names or ())
    corpora = [scan_with_bar(folder, options.n_jobs, options.cache) for folder in folders]
    return join_corpora(corpora, names) if len(corpora) > 1 else corpora[0]


def say_left_out(corpus: Corpus) -> None:
    """Print on stderr what of a folder is not used, the first files by name, and the command that would read them."""
    from cnn.corpus.listing import describe_kinds

    for problem in corpus.problems[:_N_SAID]:
        say(f"left out: {problem.path} {problem.reason}")
    if len(corpus.problems) > _N_SAID:
        say(f"left out: {len(corpus.problems) - _N_SAID:,} more; `{_list_problems(corpus)}` lists them")
    if corpus.ignored:
        say(describe_kinds(corpus.ignored))
    if corpus.advice:
        say(corpus.advice)


def _list_problems(corpus: Corpus) -> str:
    if not corpus.parts:
        return shlex.join(["arena", "data", "scan", str(corpus.folder)])
    names = [word for name in corpus.parts for word in ("--name", name)]  # a scan sees no copies between corpora
    return shlex.join(["arena", "data", "card", *map(str, corpus.parts.values()), *names])


def _as_json(corpus: Corpus, facts: Balance) -> dict[str, object]:
    import dataclasses

    return {
        "folder": str(corpus.folder),
        "name": corpus.name,
        "digest": corpus.digest,
        "not_read": corpus.ignored,
        "advice": corpus.advice,
        "balance": dataclasses.asdict(facts),
        "problems": [dataclasses.asdict(problem) for problem in corpus.problems],
        "notes": list(corpus.notes),
        "speakers": corpus.speakers,
        "doubts": corpus.doubts.as_json(),
        "flagged": {clip.id: list(clip.flags) for clip in corpus.clips if clip.flags},
    }


def _print(corpus: Corpus, facts: Balance, all_problems: bool) -> None:
    from cnn.corpus.listing import describe_kinds
    from cnn.decoding.flags import MEANINGS
    from cnn.speakers.doubts import describe_doubts

    lengths = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in facts.length_s.items())
    print(f"{corpus.folder}  digest {corpus.digest}")
    _print_fact("clips", f"{facts.n_clips:,} usable, {plural(len(corpus.problems), 'problem')}")
    _print_fact("speakers", f"{_speakers(corpus, facts)}")
    _print_fact("length", f"{lengths}")
    _print_fact("rate", f"{_shared({f'{rate:,} Hz': n for rate, n in facts.rates_hz.items()})}")
    _print_fact("channels", f"{_shared({'mono' if n == 1 else f'{n} channels': count for n, count in facts.channels.items()})}")
    if facts.flags:
        _print_fact("flags", f"{_counts(facts.flags)}: used all the same")
        for flag in facts.flags:
            print_text(f"{'':<{_INDENT}}{flag}: {MEANINGS[flag]}")
    if corpus.ignored:
        _print_fact("others", describe_kinds(corpus.ignored))
    per_digit = [f"{n:,}" for n in facts.per_digit.values()]
    print()
    print_table((Column("digit"), *(Number(label, 2) for label in facts.per_digit)), [["clips", *per_digit]])
    print()
    print_text(facts.verdict)
    for note in corpus.notes:
        print_text(f"note: {note}")
    for doubt in describe_doubts(corpus.doubts):
        print_text(f"warning: {doubt}")
    if corpus.advice:
        print_text(f"note: {corpus.advice}")
    _print_problems(corpus, len(corpus.problems) if all_problems else _N_PROBLEMS_SHOWN)


def _print_fact(name: str, text: str) -> None:
    print_text(f"{name:<{_INDENT}}{text}", hang=_INDENT)


def _speakers(corpus: Corpus, facts: Balance) -> str:
    names = ", ".join(f"{speaker} {n}" for speaker, n in list(facts.per_speaker.items())[:_N_SPEAKERS_SHOWN])
    parts = [f"{facts.n_speakers} ({names}{', ..' if facts.n_speakers > _N_SPEAKERS_SHOWN else ''})" if names else "none known"]
    if facts.n_without_speaker:
        parts.append(f"{plural(facts.n_without_speaker, 'clip')} without a speaker")
    if genders := Counter(str(about["gender"]) for about in corpus.speakers.values() if "gender" in about):
        parts.append(_counts(dict(sorted(genders.items()))))
    if facts.missing_by_speaker:
        parts.append(f"{len(facts.missing_by_speaker)} without some digit")
    return "; ".join(parts)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in counts.items())


def plural(n: int, noun: str) -> str:
    """Return `1 clip` or `3,000 clips`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _shared(counts: dict[str, int]) -> str:
    """Return the name that all share, or the count of each."""
    return next(iter(counts)) if len(counts) == 1 else ", ".join(f"{name} in {plural(n, 'clip')}" for name, n in counts.items())


def _print_problems(corpus: Corpus, n_shown: int) -> None:
    if not corpus.problems:
        return
    from cnn.corpus.listing import ProblemKind

    kinds = Counter(Path(p.path).suffix.lower() if p.kind is ProblemKind.FORMAT else p.kind.value for p in corpus.problems)
    print(f"\nNot used: {plural(len(corpus.problems), 'file')} ({_counts(dict(kinds.most_common()))})")
    for problem in corpus.problems[:n_shown]:
        print(f"  {problem.path} {problem.reason}")
    if len(corpus.problems) > n_shown:
        print(f"  and {len(corpus.problems) - n_shown:,} more; list them with --all-problems")


@app.command(
    epilog="Examples: `arena data card corpus -o card.html` · `arena data card fsdd audiomnist` · "
    "`arena data card tiles/0123456789abcdef` · "
    "`arena data card corpus --autoencoder latest`"
)
def card(
    corpus: CorpusFolder,
    more: FurtherCorpora = None,
    name: CorpusNames = None,
    out: Annotated[Path, out_option("The page to write.")] = Path("card.html"),
    autoencoder: Annotated[
        str,
        typer.Option(
            metavar="RUN", help="An autoencoder of these recordings: also list what it reconstructs worst.", show_default=False
        ),
    ] = "",
    runs: Runs = Path("runs"),
    tiles: Tiles = Path("tiles"),
    device: Device = "auto",
    jobs: Jobs = 0,
    cache: Cache = None,
    json: Json = False,
) -> None:
    """Describe a corpus on one HTML page: balance, speakers, examples to see and hear, problems, licence.

    Of pictures, give the folder of their tiles: the page has their classes and parts, examples in colour, licence.
    """
    if not more and (corpus / "settings.json").is_file():
        if autoencoder:
            raise typer.BadParameter(
                "--autoencoder lists recordings; of pictures, the run's reconstructions.csv has each error"
            )
        return _write_picture_card(corpus, out, json=json)
    from cnn.corpus.card import choose_examples, write_card

    scanned = scan_together([corpus, *(more or [])], ScanOptions(n_jobs=jobs, cache=cache, names=name))
    anomalies = None
    if autoencoder:
        from cnn.inference.anomalies import find_anomalies, find_autoencoder

        anomalies = find_anomalies(find_autoencoder(autoencoder, runs, scanned.digest), tiles, device)
    with progress("drawing", sum(map(len, choose_examples(scanned.clips).values()))) as advance:
        size_bytes = write_card(scanned, out, advance, anomalies=anomalies)
    if json:
        summary = {"card": str(out), "size_bytes": size_bytes, "digest": scanned.digest, "n_clips": len(scanned.clips)}
        return print_json(summary | ({"anomalies": dataclasses.asdict(anomalies)} if anomalies else {}))
    print(f"{out}: {len(scanned.clips):,} recordings on one page ({size_bytes / 1e6:.1f} MB); open it in any browser")


def _write_picture_card(folder: Path, out: Path, *, json: bool) -> None:
    from cnn.errors import CorpusError
    from cnn.tiles.card import write_picture_card
    from cnn.tiles.tile_set import open_tiles

    tiles = open_tiles(folder)
    if tiles.data.is_sound:
        raise CorpusError(
            f"a card of recordings is made from their folder, not from tiles: arena data card {' '.join(tiles.corpus_folders)}"
        )
    with progress("drawing", len(tiles.data.labels)) as advance:
        size_bytes = write_picture_card(tiles, out, advance)
    n_pictures = len(tiles.clips)
    if json:
        return print_json({"card": str(out), "size_bytes": size_bytes, "digest": tiles.corpus, "n_clips": n_pictures})
    print(f"{out}: {n_pictures:,} pictures on one page ({size_bytes / 1e6:.1f} MB); open it in any browser")

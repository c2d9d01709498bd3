"""A contest pack on the disk: `students/` to hand out, and `host/` for the host alone.

It is made beside its place and renamed at the end. Files that are handed out bear one time, and test files are written in
the order of their ids, so that neither a folder nor an archive tells in which order they were recorded.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from string import Template

from arena.base.install import Wheel, build_wheel
from cnn.config import LABELS
from cnn.errors import CorpusError
from cnn.pack.audio import test_wav, training_wav
from cnn.pack.near_duplicates import Found
from cnn.pack.plan import PackPlan

STUDENTS, HOST = "students", "host"
_TEMPLATES = Path(__file__).parent / "templates"
_TIME_S = 946_684_800  # 2000-01-01 UTC: of every file that is handed out
_ZIP_TIME = (2000, 1, 1, 0, 0, 0)
_BY_SPEAKERS = 3  # training speakers from which one can be held out to validate, and one to test


def write_pack(plan: PackPlan, out: Path, *, with_zip: bool, advance: Callable[[int], None]) -> None:
    """Make `out`, whole or not at all.

    Raises:
        CorpusError: it exists, cannot be written, or a recording changed meanwhile.
        PackageNotFoundError: as `arena.base.install.build_wheel`.
    """
    check_free(out)
    wheel = build_wheel()
    part = Path()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))  # open to its owner alone
        _write_students(plan, wheel, part / STUDENTS, advance)
        _write_host(plan, part / HOST, part / STUDENTS)
        if with_zip:
            _write_zip(part / STUDENTS, part / f"{STUDENTS}.zip")
        part.chmod(0o755)
        part.rename(out)
    except OSError as error:
        raise CorpusError(f"cannot write {out}: {error.strerror or error}; choose another folder with --out") from error
    finally:
        if part.name:
            shutil.rmtree(part, ignore_errors=True)  # gone by now, unless something failed


def check_free(out: Path) -> None:
    """Raises CorpusError where `out` is taken."""
    if out.exists():
        raise CorpusError(f"{out} exists and no pack is overwritten: students may have it; choose another folder with --out")


def _write_students(plan: PackPlan, wheel: Wheel, folder: Path, advance: Callable[[int], None]) -> None:
    for clip in plan.train:
        path = folder / "train" / clip.path.with_suffix(".wav")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(training_wav(plan.corpus.folder / clip.path, plan.format))
        advance(1)
    (folder / "test").mkdir()
    for row in plan.test:
        source = plan.corpus.folder / row.clip.path
        content = test_wav(source, plan.format, plan.length_s, row.draw, plan.settings.disguise)
        (folder / "test" / f"{row.id}.wav").write_bytes(content)
        advance(1)
    (folder / "sample_submission.csv").write_bytes(_table(["id", "label"], [[row.id, LABELS[0]] for row in plan.test]))
    (folder / wheel.name).write_bytes(wheel.content)
    (folder / "README.md").write_text(_readme(plan, wheel.name), encoding="utf-8")
    (folder / "starter.ipynb").write_text(_notebook(plan), encoding="utf-8")
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder before the folder
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (_TIME_S, _TIME_S))
    folder.chmod(0o755)
    os.utime(folder, (_TIME_S, _TIME_S))


def _write_host(plan: PackPlan, folder: Path, students: Path) -> None:
    folder.mkdir(mode=0o700)
    usage = ["Usage"] if plan.usage else []
    solution = [
        [row.id, row.clip.label, *(["Public" if row.is_public else "Private"] if usage else []), row.clip.speaker]
        for row in plan.test
    ]
    mapping = []
    for row in plan.test:
        content = (students / "test" / f"{row.id}.wav").read_bytes()
        drawn = [f"{row.draw.gain_db:.3f}", f"{row.draw.shift_ms:.2f}", hashlib.sha256(content).hexdigest()]
        mapping.append([row.id, row.clip.path.as_posix(), row.clip.label, row.clip.speaker, *drawn])
    _secretly(folder / "solution.csv", _table(["id", "label", *usage, "Group"], solution))
    columns = ["id", "recording", "label", "speaker", "gain_db", "shift_ms", "sha256"]
    _secretly(folder / "mapping.csv", _table(columns, mapping))
    _secretly(folder / "pack.json", (json.dumps(_facts(plan), indent=1, ensure_ascii=False) + "\n").encode())


def _facts(plan: PackPlan) -> dict[str, object]:
    return {
        "corpus": plan.corpus.name,
        "corpus_digest": plan.corpus.digest,
        "seed": plan.settings.secret,
        "disguise": asdict(plan.settings.disguise),
        "format": asdict(plan.format),
        "length_s": plan.length_s,
        "public": plan.settings.public,
        "usage": plan.usage,
        "train_speakers": plan.train_speakers,
        "test_speakers": plan.test_speakers,
        "public_speakers": plan.public_speakers,
        "notes": plan.notes,
        "alike": alike_facts(plan.alike),
        "left_out": [clip.path.as_posix() for clip in plan.left_out],
    }


def alike_facts(found: Found | None) -> dict[str, object] | None:
    """What both sides have in common, for JSON; None where it was not looked for."""
    if found is None:
        return None
    paths = [(pair.test.path.as_posix(), pair.train.path.as_posix(), round(pair.likeness, 3)) for pair in found.pairs]
    voices = [(pair.test, pair.train, round(pair.distance, 3)) for pair in found.voices]
    return {
        "recordings": [dict(zip(("test", "train", "likeness"), one, strict=True)) for one in paths],
        "voices": [dict(zip(("test", "train", "distance"), one, strict=True)) for one in voices],
    }


def _secretly(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _table(header: list[str], rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def _places(plan: PackPlan) -> dict[str, str]:
    by_speakers = len(plan.train_speakers) >= _BY_SPEAKERS
    return {
        "n_train": f"{len(plan.train):,}",
        "n_speakers": str(len(plan.train_speakers)),
        "n_test": f"{len(plan.test):,}",
        "rate_hz": str(plan.format.rate_hz),
        "n_bits": str(8 * plan.format.n_bytes),
        "length_s": f"{plan.length_s:g}",
        "split": "split.kind=speaker" if by_speakers else "split.kind=random",
    }


def _readme(plan: PackPlan, wheel: str) -> str:
    return Template((_TEMPLATES / "students.md").read_text(encoding="utf-8")).substitute(_places(plan), wheel=wheel)


def _notebook(plan: PackPlan) -> str:
    """The starter with this pack's numbers; filled in as text within JSON strings, which none of them can break."""
    return Template((_TEMPLATES / "starter.ipynb").read_text(encoding="utf-8")).substitute(_places(plan))


def _write_zip(folder: Path, path: Path) -> None:
    """The folder in order of names, not compressed: a compressed size would say how much of a clip is silence."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder.parent).as_posix(), _ZIP_TIME)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, file.read_bytes())
    path.chmod(0o644)
    os.utime(path, (_TIME_S, _TIME_S))

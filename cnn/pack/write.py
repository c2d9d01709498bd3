"""Contest pack on the disk: `students/` to hand out, and `host/` for the host alone.

It is written to a temporary folder and renamed at the end. All files of students have one time, and test files are written
in the order of their ids, so that neither a folder nor an archive reveals the order in which they were recorded.
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

from arena.base.install import Wheel, build_wheel
from cnn.errors import CorpusError
from cnn.pack.audio import HIDDEN_DISGUISE, make_test_wav, make_training_wav
from cnn.pack.handout import write_handout
from cnn.pack.near_duplicates import Matches
from cnn.pack.plan import PackPlan
from cnn.settings.data import DIGITS

STUDENTS, HOST, HIDDEN = "students", "host", "hidden"
_TIME_S = 946_684_800  # 2000-01-01 UTC, the time of every file of students
_ZIP_TIME = (2000, 1, 1, 0, 0, 0)


def write_pack(plan: PackPlan, out: Path, *, with_zip: bool, advance: Callable[[int], None]) -> None:
    """Write the folder `out`, as a whole or not at all.

    Raises:
        CorpusError: `out` exists or cannot be written, or a recording changed meanwhile.
        PackageNotFoundError: see `arena.base.install.build_wheel`.
    """
    check_free(out)
    wheel = build_wheel()
    part = Path()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))  # mode 0o700
        _write_students(plan, wheel, part / STUDENTS, advance)
        _write_host(plan, part / HOST, part / STUDENTS)
        _write_hidden(plan, part / HOST / HIDDEN, advance)
        if with_zip:
            _write_zip(part / STUDENTS, part / f"{STUDENTS}.zip")
        part.chmod(0o755)
        part.rename(out)
    except OSError as error:
        raise CorpusError(f"cannot write {out}: {error.strerror or error}; choose another folder with --out") from error
    finally:
        if part.name:
            shutil.rmtree(part, ignore_errors=True)  # exists only if something failed


def check_free(out: Path) -> None:
    """Raise CorpusError if `out` exists."""
    if out.exists():
        raise CorpusError(f"{out} exists and no pack is overwritten: students may have it; choose another folder with --out")


def _write_students(plan: PackPlan, wheel: Wheel, folder: Path, advance: Callable[[int], None]) -> None:
    for clip in plan.train:
        path = folder / "train" / clip.path.with_suffix(".wav")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make_training_wav(plan.corpus.folder / clip.path, plan.format))
        advance(1)
    (folder / "test").mkdir()
    for row in plan.test:
        source = plan.corpus.folder / row.clip.path
        content = make_test_wav(source, plan.format, plan.length_s, row.alteration, plan.settings.disguise)
        (folder / "test" / f"{row.id}.wav").write_bytes(content)
        advance(1)
    (folder / "sample_submission.csv").write_bytes(_table(["id", "label"], [[row.id, DIGITS[0]] for row in plan.test]))
    (folder / wheel.name).write_bytes(wheel.content)
    for name, text in write_handout(plan, wheel.name).items():
        (folder / name).write_text(text, encoding="utf-8")
    for path in sorted(folder.rglob("*"), reverse=True):  # the content of a folder before the folder
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
        changes = [f"{row.alteration.gain_db:.3f}", f"{row.alteration.shift_ms:.2f}"]
        digest = hashlib.sha256(content).hexdigest()
        mapping.append([row.id, row.clip.path.as_posix(), row.clip.label, row.clip.speaker, *changes, digest])
    _write_secret(folder / "solution.csv", _table(["id", "label", *usage, "Group"], solution))
    columns = ["id", "recording", "label", "speaker", "gain_db", "shift_ms", "sha256"]
    _write_secret(folder / "mapping.csv", _table(columns, mapping))
    _write_secret(folder / "pack.json", (json.dumps(_facts(plan), indent=1, ensure_ascii=False) + "\n").encode())


def _write_hidden(plan: PackPlan, folder: Path, advance: Callable[[int], None]) -> None:
    """Write the part that no team is given: its recordings and their solution, for `arena contest verify`."""
    folder.mkdir(mode=0o700)
    columns = ["id", "recording", "label", "speaker", "speed", "reverb_s"]
    mapping = []
    for row in plan.hidden:
        content = make_test_wav(plan.corpus.folder / row.clip.path, plan.format, plan.length_s, row.alteration, HIDDEN_DISGUISE)
        _write_secret(folder / f"{row.id}.wav", content)
        changes = [f"{row.alteration.speed:.4f}", f"{row.alteration.reverb_s:.3f}"]
        mapping.append([row.id, row.clip.path.as_posix(), row.clip.label, row.clip.speaker, *changes])
        advance(1)
    solution = [[row.id, row.clip.label, row.clip.speaker] for row in plan.hidden]
    _write_secret(folder / "solution.csv", _table(["id", "label", "Group"], solution))
    _write_secret(folder / "mapping.csv", _table(columns, mapping))


def _facts(plan: PackPlan) -> dict[str, object]:
    return {
        "corpus": plan.corpus.name,
        "corpus_digest": plan.corpus.digest,
        "secret": plan.settings.secret,
        "disguise": asdict(plan.settings.disguise),
        "hidden_disguise": asdict(HIDDEN_DISGUISE),
        "format": asdict(plan.format),
        "length_s": plan.length_s,
        "public": plan.settings.public,
        "usage": plan.usage,
        "train_speakers": plan.train_speakers,
        "test_speakers": plan.test_speakers,
        "hidden_speakers": plan.hidden_speakers,
        "public_speakers": plan.public_speakers,
        "notes": plan.notes,
        "alike": matches_as_json(plan.matches),
        "left_out": [clip.path.as_posix() for clip in plan.left_out],
    }


def matches_as_json(matches: Matches | None) -> dict[str, object] | None:
    """Return recordings and voices on both sides for JSON; None if they were not searched."""
    if matches is None:
        return None
    return {
        "recordings": [
            {"test": pair.test.path.as_posix(), "train": pair.train.path.as_posix(), "likeness": round(pair.similarity, 3)}
            for pair in matches.pairs
        ],
        "voices": [{"test": pair.first, "train": pair.second, "distance": pair.distance} for pair in matches.voices],
    }


def _write_secret(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _table(header: list[str], rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def _write_zip(folder: Path, path: Path) -> None:
    """Archive the folder in order of names, uncompressed: a compressed size would reveal how much of a clip is silence."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder.parent).as_posix(), _ZIP_TIME)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, file.read_bytes())
    path.chmod(0o644)
    os.utime(path, (_TIME_S, _TIME_S))

"""All submissions and models of a contest as one zip, written as it is read: one file at a time is in memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from arena.base.csv_export import format_csv
from leaderboard.standings import Attempt, Part
from leaderboard.store import Contest
from leaderboard.teams import Team

INDEX = "index.csv"
_MOST_NAME = 40  # characters of a team's name in the name of its folder
_FIRST_YEAR = 1980  # a zip's times begin there
_HEADER = ("team", "pseudonym", "attempt", "sent", "public score", "private score", "file", "file as sent", "sha256", "note")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    """A file of the zip, which lies in the contest's database by its digest."""

    name: str
    digest: str
    sent_at: datetime
    is_dense: bool  # weights, which do not shrink


def stream_archive(contest: Contest, *, with_private: bool) -> Iterator[bytes]:
    """Yield the bytes of the zip: an index of all attempts first, then a folder for each team."""
    entries, index = _list_entries(contest, with_private=with_private)
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_build_info(INDEX, contest.created_at), format_csv(index).encode("utf-8-sig"))
        yield sink.take()
        for entry in entries:
            info = _build_info(entry.name, entry.sent_at)
            info.compress_type = zipfile.ZIP_STORED if entry.is_dense else zipfile.ZIP_DEFLATED
            archive.writestr(info, contest.read_file(entry.digest))
            yield sink.take()
    yield sink.take()


def count_files(contest: Contest) -> int:
    """Return the number of pieces that `stream_archive` yields."""
    return len(_list_entries(contest, with_private=False)[0]) + 2


class _Sink(io.RawIOBase):
    """A stream that cannot seek and gives back what was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        self._written += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


def _build_info(name: str, moment: datetime) -> zipfile.ZipInfo:
    utc = moment.astimezone(UTC)
    info = zipfile.ZipInfo(name, (max(_FIRST_YEAR, utc.year), *utc.timetuple()[1:6]))
    info.external_attr = 0o644 << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _list_entries(contest: Contest, *, with_private: bool) -> tuple[list[_Entry], list[Sequence[object]]]:
    """Return the files, and the rows of the index."""
    with contest.database.read() as connection:
        public = contest.cache.attempts(connection, Part.PUBLIC)
        private = contest.cache.attempts(connection, Part.PRIVATE) if with_private else {}
    entries: list[_Entry] = []
    index: list[Sequence[object]] = [_HEADER]
    for team in contest.teams():
        final = {attempt.number: attempt.score for attempt in private.get(team.id, ())}
        for attempt in public.get(team.id, ()):
            name = f"{_name_folder(team)}/attempt-{attempt.number}"
            score = final.get(attempt.number, "")
            files = [(f"{name}.csv", attempt.file_name, attempt.digest)]
            files += [] if attempt.model is None else [(f"{name}.onnx", attempt.model.file_name, attempt.model.digest)]
            for path, sent_as, digest in files:
                is_model = path.endswith(".onnx")
                entries.append(_Entry(name=path, digest=digest, sent_at=attempt.arrived_at, is_dense=is_model))
                index.append(_build_row(team, attempt, score, (path, sent_as, digest)))
    return entries, index


def _build_row(team: Team, attempt: Attempt, private: object, file: tuple[str, str, str]) -> Sequence[object]:
    about = (team.name, team.pseudonym or "", attempt.number, attempt.arrived_at.isoformat())
    return (*about, attempt.score, private, *file, attempt.note or "")


def _name_folder(team: Team) -> str:
    """Return `003-Mel Street`: the number keeps names apart and off those that systems reserve."""
    safe = "".join(char if char.isalnum() or char in " -_" else "_" for char in team.name[:_MOST_NAME])
    return f"{team.id:03d}-{safe.strip()}"

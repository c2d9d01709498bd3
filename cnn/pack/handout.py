"""Texts that students are handed out: README in two languages, arena.toml, starter notebook."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from string import Template

from arena.base.project import FILE_NAME, quote
from cnn.corpus.metadata import read_about
from cnn.errors import SplitError
from cnn.pack.plan import PackPlan

_TEMPLATES = Path(__file__).parent / "templates"
_MIN_SPEAKERS = 3  # training speakers for a split by speaker: one to validate and one to test are held out


@dataclass(frozen=True, kw_only=True, slots=True)
class _Language:
    """A README's file, and what it says of facts that the host did not give."""

    template: str
    page: str
    deadline: str
    licence: str
    sources: str
    thousands: str


_READMES = {
    "README.md": _Language(
        template="students.md",
        page="your teacher tells you its address",
        deadline="the contest's page shows it",
        licence="not stated: ask your teacher before you pass recordings on",
        sources="recorded or chosen by your teacher",
        thousands=",",
    ),
    "LEEME.md": _Language(
        template="estudiantes.md",
        page="tu docente te da su dirección",
        deadline="lo muestra la página del concurso",
        licence="no se indicó: pregunta a tu docente antes de compartir las grabaciones",
        sources="grabadas o elegidas por tu docente",
        thousands=" ",
    ),
}


def write_handout(plan: PackPlan, wheel: str) -> dict[str, str]:
    """Return the texts of the students' folder by file name; `wheel` names the program's file."""
    values = _list_values(plan) | {"wheel": wheel}
    texts = {name: _fill(language.template, values | _describe(plan, language)) for name, language in _READMES.items()}
    # Numbers go into the notebook's JSON strings as plain text, which none of them can break.
    return texts | {FILE_NAME: _fill("project.txt", values), "starter.ipynb": _fill("starter.ipynb", values)}


def read_deadline(text: str) -> datetime | None:
    """Return the moment; None for an empty text.

    Raises:
        SplitError: it is none, or has no offset.
    """
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        moment = None
    if text and (moment is None or moment.tzinfo is None):
        raise SplitError(f"--deadline is ISO 8601 with its offset, such as 2026-12-01T18:00+01:00, not {text[:40]!r}")
    return moment


def _fill(template: str, values: dict[str, str]) -> str:
    return Template((_TEMPLATES / template).read_text(encoding="utf-8")).substitute(values)


def _list_values(plan: PackPlan) -> dict[str, str]:
    by_speakers = len(plan.train_speakers) >= _MIN_SPEAKERS
    return {
        "rate_hz": str(plan.format.rate_hz),
        "n_bits": str(8 * plan.format.n_bytes),
        "n_speakers": str(len(plan.train_speakers)),
        "length_s": f"{plan.length_s:g}",
        "address": f"address = {quote(plan.settings.address)}" if plan.settings.address else '# address = "https://..."',
        "split": "" if by_speakers else '\n[settings]\nsplit.kind = "random"\n',
    }


def _describe(plan: PackPlan, language: _Language) -> dict[str, str]:
    settings, about = plan.settings, read_about(plan.corpus.folder)
    licence = settings.licence or ", ".join(about[key] for key in ("licence", "licence_url") if about.get(key))
    sources = settings.sources or ". ".join(
        about[key].rstrip(".") for key in ("title", "citation", "homepage") if about.get(key)
    )
    moment = read_deadline(settings.deadline)
    return {
        "n_train": f"{len(plan.train):,}".replace(",", language.thousands),
        "n_test": f"{len(plan.test):,}".replace(",", language.thousands),
        "page": f"<{settings.address}>" if settings.address else language.page,
        "deadline": language.deadline if moment is None else _format_moment(moment),
        "licence": licence or language.licence,
        "sources": sources or language.sources,
    }


def _format_moment(moment: datetime) -> str:
    offset = moment.isoformat(timespec="minutes")[-6:]
    return f"{moment:%Y-%m-%d %H:%M} (UTC{offset}), {moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

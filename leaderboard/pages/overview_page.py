"""The overview: what a newcomer needs, from the task to the commands that send a file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arena.base.texts import Words
from leaderboard.contest.ranking import choose_part
from leaderboard.files.solution import LabelList, Solution
from leaderboard.rules import Rules
from leaderboard.scoring.custom_metric import read_description
from leaderboard.standings import Part

SAMPLE = "sample_submission.csv"
_TEXTS = ("task", "rules", "licence", "sources")


@dataclass(frozen=True, kw_only=True, slots=True)
class DownloadLine:
    """A file that the site hands out."""

    name: str
    description: str
    size_bytes: int
    digest: str  # SHA-256

    def format_size(self, words: Words) -> str:
        """Return `1.2 MB`, or `310 kB`."""
        if self.size_bytes < 1_000_000:
            return words("kilobytes", n=words.number(max(1, round(self.size_bytes / 1000))))
        return words("megabytes", n=f"{self.size_bytes / 1e6:.1f}")


@dataclass(frozen=True, kw_only=True, slots=True)
class OverviewPage:
    """The context of the template."""

    texts: Mapping[str, str]  # the host's own in Markdown: task, rules, licence, sources
    facts: Sequence[tuple[str, str]]  # key of the title, value
    metric: Sequence[str]  # sentences on the score
    metric_text: str | None  # the host's own words on the metric


def build_overview(rules: Rules, solution: Solution, metric: bytes | None, words: Words) -> OverviewPage:
    """Return the context of the page.

    Args:
        metric: the host's own metric, a Python file.
    """
    overview = rules.overview or {}
    return OverviewPage(
        texts={key: str(overview[key]) for key in _TEXTS if overview.get(key)},
        facts=[
            ("metric", rules.metric_name),
            ("attempts", words("three_attempts")),
            ("string_items" if solution.strings else "items", words.number(len(solution.ids))),
            ("answers", words("strings"))
            if solution.strings
            else ("labels", LabelList(solution.labels).translate(words.language)),
        ],
        metric=_describe_metric(rules, solution, words),
        metric_text=None if metric is None else read_description(metric),
    )


def _describe_metric(rules: Rules, solution: Solution, words: Words) -> list[str]:
    n_classes = len(solution.labels)
    if rules.has_strings:
        texts = [words(f"{rules.metric_name.replace(' ', '_')}_what")]
    elif rules.metric_digest is None:
        texts = [words("macro_f1_what", n=n_classes), words("macro_f1_scale", n=n_classes, guess=f"{1 / n_classes:.2f}")]
    else:
        texts = [words("lower_better" if rules.is_lower_better else "higher_better", metric=rules.metric_name)]
    texts.append(words("best_counts"))
    part = choose_part(rules, solution)
    if part is not Part.PUBLIC:
        texts.append(words(f"ranks_by_{part}"))
    return texts


def list_ways_to_send(address: str, team: str | None) -> list[str]:
    """Return a command that Arena has and one that every machine has; both send the same file.

    Args:
        address: the contest's first page.
        team: the reader's.
    """
    base = address.rstrip("/")
    url = shlex.quote(f"{base}/api/v1/attempts")
    return [
        f"arena submit submission.csv --address {shlex.quote(base)} --team {shlex.quote(team or 'TEAM')}",
        f'curl {url} -H "Authorization: Bearer $ARENA_TOKEN" -H "Content-Type: text/csv" --data-binary @submission.csv',
    ]


def write_sample(solution: Solution) -> str:
    """Return a submission of the right form: each id with the first label, in the order of the ids.

    The solution's own order may tell the labels, as where its rows are sorted by them.
    """
    answer = "0" if solution.strings else solution.labels[0]
    return f"id,{solution.answer}\n" + "".join(f"{name},{answer}\n" for name in map(_quote, sorted(solution.ids)))


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if set(name) & set(',"\n') else name

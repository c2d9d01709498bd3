"""Other words for the same command, those of tools that people come from: replaced before the command is looked up."""

from __future__ import annotations

from collections.abc import Sequence

from arena.base.errors import UsageError
from arena.base.suggest import index_words
from arena.command_line.hints import HINTS, format_hint

_GROUPS = {  # group: other words for it
    "contest": "competition, competitions, contests, comp",
    "data": "dataset, datasets",
    "models": "model, nets, net",
    "notebook": "notebooks, kernel, kernels",
    "report": "reports",
    "runs": "experiment, experiments",
    "sweep": "sweeps, study",
}
_SAME = {  # command: other words for it
    "config": "config list, config show, config view, settings",
    "contest attempts": "contest submissions, contest team attempts",
    "contest backup": "contest dump, contest snapshot",
    "contest gradebook": "contest grades, contest gradebooks",
    "contest init": "contest create, contest new, contest make",
    "contest log": "contest logs, contest history, contest audit",
    "contest migrate": "contest upgrade",
    "contest standings": (
        "leaderboard, contest leaderboard, contest ranking, contest rankings, contest ranks, contest scoreboard, "
        "contest scores, contest results, contest board, contest standing, contest lb, contest winners, "
        "contest winner"
    ),
    "contest team add": "contest team create, contest team new, contest team register, contest add-team",
    "contest team list": "contest teams, contest team ls, contest teams list",
    "contest rename": "contest team rename",
    "contest join-link list": "contest invites, contest join-links, contest links, contest join-link ls",
    "contest join-link new": "contest invite, contest join-link create, contest join-link add",
    "contest team import": "contest roster, contest import-class, contest team load, contest class",
    "contest team show": "contest team view, contest team members, contest team info, contest team describe",
    "contest token new": "contest token create, contest token generate, contest token add",
    "contest validate": "contest check, contest lint",
    "data get": "data download, data fetch, data pull",
    "data get --list": "data list, data ls, data search",
    "data prepare": "data preprocess, data process, data build, data tiles, data featurize, data extract",
    "data scan": "data check, data validate, data info, data stats, data describe, data inspect, data summary",
    "data show": "data view, data preview, data head, data plot, data visualize, data display",
    "data synth": "data generate, data synthesize, data synthesise",
    "eval": "evaluate, cross-validate, crossval, cv, kfold",
    "models": "models list, models ls, models show, models info, models view, models describe, models summary",
    "new": "new project, project new, project create, project init, create project, scaffold, startproject",
    "report build": "report create, report make, report generate, report new, report html, report write",
    "report table": "report csv, report tabulate",
    "runs": "runs list, runs ls, runs status, runs stats, runs stat, run list, run ls",
    "runs name": "runs rename, run rename",
    "runs rm": "runs delete, runs remove, runs del, run delete, run rm, run remove",
    "runs show": "runs view, runs get, runs describe, runs info, run show, run view, run describe, run info",
    "runs tag": "runs label, run tag",
    "sweep agent": "sweep join, sweep worker, agent",
    "sweep best": "sweep best-trial, best-trial, sweep best-params, sweep best-run, sweep winner",
    "sweep dashboard": "sweep ui, dashboard",
    "sweep lint": "sweep check, sweep validate, sweep verify",
    "sweep pause": "sweep suspend",
    "sweep resume": "sweep unpause",
    "sweep run": "sweep create, sweep start, sweep new, sweep launch, sweep optimize, sweep make, sweep continue",
    "sweep status": (
        "sweep list, sweep ls, sweep ps, sweep show, sweep view, sweep info, sweep progress, sweep watch, studies"
    ),
    "sweep stop": "sweep cancel, sweep end",
    "sweep trials": "sweep history, sweep trial, sweep results",
    "wandb sync": "wandb upload, wandb push",
    "wandb view": "wandb leet, wandb show, wandb open",
    "--version": "version",
}
ALIASES = index_words(_SAME)
_CANONICAL = index_words(_GROUPS)
_MOST_WORDS = 3


def is_known(words: str) -> bool:
    """Return True for the words of an alias or a hint, no less and no more."""
    group, _, rest = words.partition(" ")
    return any(text in table for table in (ALIASES, HINTS) for text in (words, f"{_CANONICAL.get(group, group)} {rest}"))


def replace_aliases(words: Sequence[str]) -> list[str]:
    """Return the words of a command line with Arena's own words for its command.

    Raises:
        UsageError: the words are of another tool and have a hint.
    """
    words = list(words)
    if words[:1] == ["help"] or words[1:] == ["help"]:
        words.remove("help")
        return [*replace_aliases(words), "--help"]
    for line in (words, [*(_CANONICAL.get(word, word) for word in words[:1]), *words[1:]]):
        for n in range(min(_MOST_WORDS, len(line)), 0, -1):
            text = " ".join(line[:n])
            if text in ALIASES:
                return [*ALIASES[text].split(), *line[n:]]
            if n > 1 and text in HINTS:  # a single word is looked up when no command is called so
                raise UsageError(format_hint(text))
    return line

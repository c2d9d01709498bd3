"""Sections of a paper, in the order of an outline: the usual one of articles, or that of CRISP-DM."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cnn.nets import NETS
from cnn.runs import DataKind
from reports.documents.paper_writer import PaperWriter, Rows, references
from reports.facts.report import ReportFacts, RunFacts
from reports.page.tables import confusions, shared_versions, splits
from reports.wording.formats import NONE, magnitude, percent, score, seconds, signed, variant_name
from reports.wording.page_texts import Texts
from reports.wording.summary import describe_tested

Section = Callable[[PaperWriter], None]
_AUGMENTATION = {DataKind.SOUND: "augmentation", DataKind.PICTURES: "erasing"}  # works


def _abstract(w: PaperWriter) -> None:
    facts, t = w.facts, w.t
    about = {"models": _models(facts, t), "k": len(facts.labels), "classes": t.classes(facts.labels)}
    abstract = t.n("paper.abstract_text", len(facts.runs), **about)
    w.say(" ".join((abstract, _lead(w), *w.summary.effects[:3])))


def _lead(w: PaperWriter) -> str:
    """Return the page's first sentence; the abstract has introduced the nets before."""
    model = w.main_run.model
    return w.summary.lead.replace(w.t.introduce(model), w.t.model(model), 1)


def _models(facts: ReportFacts, t: Texts) -> str:
    return t.listed([t.introduce(model) for model in dict.fromkeys(run.model for run in facts.runs)])


def _corpus(w: PaperWriter) -> None:
    t = w.t
    w.todo("todo_corpus")
    speakers = [f"#{t('data.speakers')}"] if w.facts.kind is DataKind.SOUND else []
    rows = [[t("data.part"), f"#{t('word.clips')}", f"#{t('data.per_digit')}", *speakers]]
    for split in splits(w.main_run):
        per_digit = t.count(split.most) if split.fewest == split.most else f"{split.fewest} {t('word.to')} {split.most}"
        row = [t(f"data.{split.name}"), t.count(split.n), per_digit, str(len(split.speakers) or NONE)]
        rows.append(row[: len(rows[0])])
    w.table(rows)


def _split(w: PaperWriter) -> None:
    corpus, kind = w.t.setting(w.main_run.config["corpus"]), w.t.split(w.main_run.config.get("split.kind"))
    w.say(w.t("paper.split", corpus=corpus, split=kind, heard=describe_tested(w.facts, w.t)))


def _preparation(w: PaperWriter) -> None:
    facts, t, config = w.facts, w.t, w.main_run.config
    tile = {name: t.setting(config.get(f"tiles.{name}")) for name in ("size", "rate_hz", "length_s")}
    tile["colour"] = t("paper.colour" if config.get("data.channels") == 3 else "paper.grey")
    filters = t("paper.filters", cite=w.cite("bilateral")) if any(run.filter == "bilateral" for run in facts.runs) else ""
    is_augmented = any(run.augmented for run in facts.runs)
    augmented = t("paper.augmented", cite=w.cite(_AUGMENTATION[facts.kind])) if is_augmented else ""
    w.say(" ".join(part for part in (t("paper.tiles", **tile), filters, augmented) if part))


def _nets(w: PaperWriter) -> None:
    facts, t = w.facts, w.t
    first = {run.model: run for run in reversed(facts.runs)}
    head = [t("paper.model"), t("paper.after"), f"#{t('trainings.parameters')}", f"#{t('trainings.adds')}"]
    rows = [
        [t.introduce(name), _after(w, name), t.count(first[name].n_parameters), magnitude(first[name].n_multiply_adds)]
        for name in dict.fromkeys(run.model for run in facts.runs)
    ]
    w.table([head, *rows])


def _after(w: PaperWriter, model: str) -> str:
    return w.cite(model) if model in NETS else w.t("paper.own_net")


def _measure(w: PaperWriter) -> None:
    facts, t = w.facts, w.t
    chooses = t("paper.chooses") if facts.chosen and not facts.validates_on_known_speakers else ""
    w.say(t("paper.scored", chooses=chooses, cite=w.cite("bootstrap"), k=len(facts.labels)))


def _search(w: PaperWriter) -> None:
    if w.facts.sweeps:
        swept = w.t("paper.swept", cite=w.cite("optuna"))
        ranked = any(sweep.importances for sweep in w.facts.sweeps)
        w.say(f"{swept} {w.t('paper.importances', cite=w.cite('fanova'))}" if ranked else swept)


def _comparison(w: PaperWriter) -> None:
    facts, t = w.facts, w.t
    w.table(_scores(facts.runs, t))
    w.figure("scores", t("answer.caption", heard=t("answer.caption_heard") if facts.validates_on_known_speakers else ""))
    w.points(w.summary.effects)
    w.figure("effects", t("effect.caption"))


def _scores(runs: Sequence[RunFacts], t: Texts) -> Rows:
    validation, test = t("word.on_validation"), t("word.on_test")
    head = [t("word.training"), f"#F1, {validation}", f"#F1, {test}", f"#{t('word.interval')}", f"#{t('word.accuracy')}"]
    head += [f"#{t('trainings.gap')}", f"#{t('word.epoch').capitalize()}", f"#{t('word.time')}", t("trainings.verdict")]
    rows = [head]
    for run in runs:
        f1 = [score(split.macro_f1 if split else None) for split in (run.val, run.test)]
        span = t.span(run.interval.low, run.interval.high) if run.interval else NONE
        accuracy = percent(run.test.accuracy if run.test else None)
        epochs = t("word.of", n=run.best_epoch, of=run.n_epochs)
        name = f"{t.model(run.model)}, {variant_name(run.variant)}"
        verdict = t.verdict(run.verdict) or t("verdict.none")
        rows.append([name, *f1, span, accuracy, signed(run.gap), epochs, seconds(run.wall_s), verdict])
    return rows


def _curves(w: PaperWriter) -> None:
    w.figure("curves-f1", w.t("paper.curves_f1"))
    w.figure("curves-loss", w.t("paper.curves_loss"))


def _confusions(w: PaperWriter) -> None:
    t, main_run = w.t, w.main_run
    if not main_run.test:
        return
    name = t.cell(main_run.model, main_run.variant)
    w.figure("confusion", t("paper.confusion", name=name))
    pairs = [t("paper.pair", truth=c.truth, predicted=c.predicted, n=c.n, of=c.n_truth) for c in confusions(main_run)[:3]]
    w.say(t("paper.confused", name=name, pairs=t.listed(pairs)) if pairs else "")
    w.figure("groups", t("group.caption", name=name))


def _attention(w: PaperWriter) -> None:
    t = w.t
    for inspection in w.facts.inspections[:1]:
        cites = {name: w.cite(name) for name in ("grad_cam", "occlusion", "tsne")}
        name = t.cell(inspection.model, inspection.variant)
        w.figure("attention", t("paper.attention", name=name, grad_cam=cites["grad_cam"], occlusion=cites["occlusion"]))
        w.figure("embedding", t("paper.embedding", name=name, n=len(inspection.embedding), cite=cites["tsne"]))


def _studies(w: PaperWriter) -> None:
    if w.facts.sweeps:
        w.points([f"`{name}`: {sentence}" for name, sentence in w.summary.sweeps.items()])
        w.figure("studies", w.t("paper.studies"))


def _contest(w: PaperWriter) -> None:
    if w.facts.contest:
        w.say(w.summary.contest)
        w.figure("contest", w.t("contest.caption"))


def _discussion(w: PaperWriter) -> None:
    t = w.t
    elsewhere = t("answer.fit_head")  # its sentence leads to a table of the page
    w.points([f"{head} {sentence}" for head, sentence in w.summary.answer if head != elsewhere])
    n = {state: sum(run.verdict == state for run in w.facts.runs) for state in ("good", "overfit", "underfit", "unsettled")}
    verdicts = t.listed([f"{t.verdict(state)} ({count})" for state, count in n.items() if count])
    w.say(t.n("paper.fits", len(w.facts.runs), told=verdicts) if verdicts else "")
    w.todo("todo_discussion")


def _limitations(w: PaperWriter) -> None:
    w.points([*w.summary.caveats, w.t("paper.few_nets"), *(note.text for note in w.facts.notes)])


def _deployment(w: PaperWriter) -> None:
    t, run = w.t, w.main_run
    adds = magnitude(run.n_multiply_adds)
    w.say(t("paper.deployed", name=t.cell(run.model, run.variant), parameters=t.count(run.n_parameters), adds=adds))
    w.say(f"```sh\narena predict {run.digest} {t('paper.new_file')}\narena export {run.digest}\n```")
    w.todo("todo_deployment")


def _reproduction(w: PaperWriter) -> None:
    t, runs = w.t, w.facts.runs
    w.say(t("paper.again_text", versions=", ".join(f"{name} {version}" for name, version in shared_versions(runs).items())))
    w.say("\n".join(["```sh", *(run.command or f"# {run.folder}: {t('lineage.no_command')}" for run in runs), "```"]))


def _references(w: PaperWriter) -> None:
    w.points([references()[key]["line"] for key in sorted(w.cited, key=lambda key: references()[key]["line"])])


def _settings(w: PaperWriter) -> None:
    facts, t = w.facts, w.t
    w.say(t("paper.settings"))
    w.table(
        [[t("compare.setting"), t("sweep.value")], *([f"`{row.key}`", t.setting(row.values[0])] for row in facts.same_settings)]
    )
    if facts.differing_settings:
        w.say(t("paper.differing"))
        names = [t.cell(run.model, run.variant) for run in facts.runs]
        w.table(
            [
                [t("compare.setting"), *names],
                *([f"`{row.key}`", *map(t.setting, row.values)] for row in facts.differing_settings),
            ]
        )


_ENDING: dict[str, tuple[Section, ...]] = {"references": (_references,), "appendix": (_settings,)}
# Chapters by their heads, each with its sections.
OUTLINES: dict[str, dict[str, tuple[Section, ...]]] = {
    "article": {
        "abstract": (_abstract,),
        "data": (_corpus, _split),
        "methods": (_preparation, _nets, _measure, _search),
        "results": (_comparison, _curves, _confusions, _attention, _studies, _contest),
        "discussion": (_discussion,),
        "limitations": (_limitations,),
        "again": (_reproduction,),
        **_ENDING,
    },
    "crisp-dm": {
        "abstract": (_abstract,),
        "business": (lambda w: w.todo("todo_business"),),
        "understanding": (_corpus,),
        "preparation": (_split, _preparation),
        "modelling": (_nets, _curves, _search, _studies),
        "evaluation": (_measure, _comparison, _confusions, _attention, _contest, _discussion, _limitations),
        "deployment": (_deployment, _reproduction),
        **_ENDING,
    },
}

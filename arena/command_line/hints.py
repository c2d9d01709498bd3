"""Commands of other tools that Arena lacks, or does not do at a guess, with the line to type instead."""

from __future__ import annotations

from arena.base.suggest import index_words

_NEW_STUDY = "a study is made by its first line: arena sweep run FILE"
_DELETE_STUDY = "a study is its folder: delete studies/NAME (`arena sweep stop NAME` first, where agents work)"
_CONTEST_FILE = (
    "a contest is its file, contest.db: end `arena contest serve` before you move or delete it; copy: arena contest backup FILE"
)
_NO_ACCOUNT = "Arena has no accounts: `wandb login` is for W&B, and ARENA_TOKEN holds a team's token for `arena submit`"
_CHECK = (
    "arena submit FILE --check (before it is sent to a contest's page), arena contest validate FILE (a submission), "
    "arena data scan FOLDER (recordings), arena sweep lint FILE (a sweep file)"
)
_SERVE = "arena contest serve (the contest on the web), arena report serve (a report that follows a sweep)"
_LISTS = "arena runs (trainings), arena sweep status (studies), arena models (nets), arena contest team list (teams)"
_SEND = "arena submit FILE --team TEAM (to a contest's page), arena wandb sync (runs to W&B)"
_RUN = "arena train (one training), arena sweep run FILE (a search), arena runs (those there are), arena demo"
_RERUN = "the same arena train line again: a finished training is answered from its folder, a killed one goes on"
_KEYS = "every setting with its default: arena train --keys; set one as arena train train.epochs=5"
_TOML = "what holds: arena config; change arena.toml with an editor, or type KEY=VALUE behind a command"
_MERGE = "arena contest merge TEAM --into OTHER (teams), arena report compare A B (runs)"
_LABELS = "arena data solution (true labels of the test clips), arena predict RUN (a net's answers)"
_SPLIT = "a split is a setting: arena train split.kind=loso split.fold=0 (speaker, becker, loso, folds, random, official)"
_LOGS = "arena runs show RUN (epochs and scores of a training), arena sweep status, arena contest log"
_REPORT = "arena report build (one HTML file), arena report table (all runs as CSV), arena data show (tiles as a picture)"
_WANDB = "that is W&B's own command: type it without arena"
_NO_ASK = "agents ask for points and tell their scores by themselves: arena sweep agent STUDY"
_CLUSTER = "arena sweep run FILE --on slurm, or --on ray"
_CARRY = "arena export RUN (ONNX), arena contest submit FILE --team TEAM --onnx model.onnx"
_NEW = "arena new FOLDER (a team's project), arena contest init SOLUTION (a contest)"

_MEANINGS = {  # line to type: the words that get it
    "arena new FOLDER": "bootstrap, quickstart, workspace",
    "arena config (what holds in this project), arena new FOLDER (another)": (
        "project, projects, repo, repo create, repo view, repo list"
    ),
    "arena sweep trials STUDY, arena sweep best STUDY": "trial, trial best, trial list, trial show",
    "arena sweep dashboard": "optuna-dashboard, optuna dashboard",
    "arena runs tag RUN TAG (of a run), arena data solution (true labels)": "label, label create, label list",
    "caches are folders that may be deleted: --cache says where that of scans is": (
        "cache, cache list, cache delete, purge-cache"
    ),
    "shipped nets stay; a training is deleted by arena runs rm RUN": "models delete, models rm, models remove",
    "arena eval --folds loso": "evaluation, evals",
    "arena export RUN (a net), arena report build (results), arena contest publish FOLDER (standings)": (
        "release, release create, release list, release download"
    ),
    "arena report build --pdf, arena report paper --pdf": "report pdf, report print",
    "arena report table --out FILE (all runs as CSV), arena report build --pdf": "report export",
    "arena doctor (this machine), arena config (this project), arena runs (trainings)": "info, env, about",
    "pip installs and upgrades Arena; an older contest.db is brought up to date by arena contest migrate": (
        "upgrade, update, self-update, uninstall, pip"
    ),
    _NEW: "init, create, start, setup, make, begin",
    f"arena data get NAME (recordings), {_LISTS}": "get",
    _LISTS: "list, ls, ps, show, view, describe, query, search, find, status",
    _RUN: "run, exec, execute, launch, job, jobs, workflow, workflow run, pipeline, go, do",
    _RERUN: "rerun, retry, restart, continue, runs rerun, run rerun, run resume, runs resume, runs restart, runs retry",
    "arena train --model NET": (
        "fit, learn, trainer, fine-tune, finetune, train-model, training, run train, models train, fit-model, "
        "runs create, runs new, runs start, run create, run start"
    ),
    "arena sweep run FILE": (
        "tune, optimize, optimise, hpo, hparams, search-space, create-study, multirun, launch-sweep, tuner, "
        "optimization, hyperopt, grid-search, gridsearch, random-search, hyperparameters, study-create"
    ),
    "arena eval --folds loso (all speakers), arena predict RUN (a net's answers), arena contest score SOLUTION FILE": (
        "score, test, benchmark, metrics, metric, eval-model, accuracy"
    ),
    _CHECK: "validate, verify, check",
    "arena predict RUN FILES": "infer, inference, classify, prediction, predictions, recognize, recognise, listen",
    "arena submit FILE --team TEAM (to its page), arena contest submit FILE --team TEAM (to its file)": (
        "submission, upload-submission, submissions submit, competition-submit, competition submit, competitions submit, "
        "comp submit, enter, submissions create"
    ),
    "arena contest attempts TEAM": "submissions, attempts-left, submissions list, my-submissions, tries",
    "arena contest standings": "scores, ranking, rankings, rank, scoreboard, board, lb, results, winner",
    _SEND: "push, upload, send, share, deploy, publish-model",
    "arena data get NAME": "download, fetch, pull, clone, wget, download-data, get-data, data clone",
    "arena data import FOLDER OUT": (
        "data add, data upload, data load, data convert, data register, data push, add-data, record"
    ),
    "arena data synth OUT (synthetic voices), arena data import FOLDER OUT (recordings)": ("data create, data make, data new"),
    "recordings need no such file: arena data card CORPUS describes them": (
        "data init, data metadata, data version, data license, data licence"
    ),
    "arena data card CORPUS": "data report, data publish, data doc, data readme, datasheet, data export",
    "arena data scan FOLDER": "data status, data verify, data problems, data count, stats, data files, data test",
    "a corpus is its folder: delete it yourself": "data delete, data rm, data remove, data clean, data clear",
    "arena data prepare CORPUS": (
        "preprocess, preprocessing, prep, spectrogram, spectrograms, features, tiles, featurize, tile, melspec, "
        "data transform, data spectrogram, data resample, data cache"
    ),
    _SPLIT: "split, fold, data split, folds, data splits, splits, data fold, data folds, train-test-split",
    _LABELS: "labels, data labels, answers, ground-truth",
    _REPORT: "plot, graph, chart, visualize, visualise, view-report, html, pdf, summary, summarize, figures",
    "arena report compare A B": "diff, compare-runs, runs compare, runs diff, report diff, run compare, models compare",
    "arena report paper": "report latex, report tex, latex, report article",
    "arena report build --out FILE": "report show, report view, report list, report ls, report open, report run",
    "a report is its file: delete it yourself": "report delete, report rm, report remove",
    _SERVE: "server, web, browse, open, ui, gui, host, board-server, app, up, server start, start-server",
    "arena contest serve": (
        "contest browse, contest open, contest web, contest host, contest start, contest launch, contest run, "
        "contest up, contest server, contest page, contest pages, contest website, contest hosts"
    ),
    "arena contest publish FOLDER (its pages), arena contest gradebook FILE (grades)": "contest export, contest pull",
    "arena contest standings, arena contest team list, arena contest log": (
        "contest list, contest ls, contest show, contest view, contest info, contest status, contest get, "
        "contest describe, contest search, contest details"
    ),
    _CONTEST_FILE: "contest delete, contest rm, contest remove, contest destroy, contest clear, contest drop",
    "arena contest backup FILE": "contest clone, contest copy, contest save, contest archive, contest fork",
    "arena contest restore FILE": "contest load, contest import, contest recover",
    "arena contest close --reason TEXT": "contest end, contest stop, contest finish, contest freeze, contest lock",
    "arena contest reopen --reason TEXT": "contest unlock, contest unfreeze, contest resume, contest restart",
    "arena contest extend DEADLINE --reason TEXT": "contest deadline, contest postpone, contest prolong",
    "arena contest config > contest.yaml writes the rules, and arena contest apply contest.yaml changes them": (
        "contest edit, contest update, contest set, contest settings, contest configure, contest rules, contest show"
    ),
    "augmentation is drawn while training: arena train --variant raw+aug; arena data show draws some": (
        "augment, data augment"
    ),
    "arena report serve (follows a sweep), arena report build (one HTML file), arena wandb sync": (
        "tensorboard, mlflow, comet, neptune, aim, trackio, clearml"
    ),
    "arena contest score SOLUTION FILE": "contest evaluate, contest eval, contest grade, contest metric, contest test",
    "arena contest rescore SOLUTION --reason TEXT": "contest regrade, contest recompute, contest reevaluate",
    "arena contest submit FILE --team TEAM": ("contest upload, contest send, contest push, contest submission, contest enter"),
    "arena contest attempt TEAM NUMBER": "contest attempts show, contest confusion, contest result",
    "arena contest pack CORPUS": ("contest package, contest prepare, contest data, contest zip, contest bundle"),
    "the host hands out the contest's data (`arena contest pack`); public recordings: arena data get NAME": (
        "contest download, contest fetch, contest clips, contest dataset"
    ),
    "the host adds a team: arena contest team add NAME": ("contest join, contest register, join, signup, register"),
    "arena contest void TEAM NUMBER --reason TEXT (a wrong upload), arena contest grant TEAM --reason TEXT (one more)": (
        "contest reset, contest undo, contest retry, contest attempts reset, contest revert, "
        "contest attempts delete, contest cancel"
    ),
    "arena contest announce TEXT --reason TEXT": "contest message, contest notify, contest news, contest mail, contest tell",
    "arena contest disqualify TEAM --reason TEXT (arena contest reinstate TEAM takes it back)": (
        "contest team remove, contest team delete, contest team rm, contest ban, contest kick, "
        "contest team disqualify, contest team ban, contest team drop, contest disable, contest block"
    ),
    "arena contest merge TEAM --into OTHER --reason TEXT": "contest team merge, contest team join",
    "arena contest team list, arena contest team show TEAM (its members)": (
        "team, teams, members, contest members, contest users, team list, contest participants"
    ),
    "arena contest team add NAME": "team add, team create, contest user, add-team, create-team",
    "arena contest token revoke TEAM --reason TEXT": "contest token delete, contest token rm, contest token remove",
    "tokens are not stored, only their hashes; a new one: arena contest token new TEAM": (
        "contest token list, contest token show, contest token get, contest token ls, contest token view"
    ),
    "arena contest token new TEAM": "token, tokens, secret, secret set, contest secret, auth token, contest tokens",
    _NO_ACCOUNT: (
        "login, logout, auth, auth login, auth logout, auth status, signin, whoami, account, user, wandb login, quota, "
        "auth refresh, auth setup-git, auth print-access-token"
    ),
    _KEYS: "keys, params, parameters, options, defaults, hyperparams, train keys, config keys, cfg, hparam",
    "arena config": "config get, config values, config path, config file, get-config, show-config",
    _TOML: (
        "config set, config unset, config edit, config init, config add, set, config clear-cache, config delete, "
        "alias, alias set, alias list, alias delete, configure"
    ),
    "arena models (nets), arena models NET --layers": ("arch, architecture, architectures, network, networks, layers, zoo"),
    "a net of your own is a class in a file: arena train --model nets.py:MyNet": (
        "models create, models init, models new, models add, models register, models get, models update, "
        "models instances, models variations"
    ),
    _CARRY: "models upload, models push, models export, onnx, save, convert, models download, models pull",
    "arena inspect RUN": "explain, interpret, gradcam, grad-cam, saliency, embeddings, tsne, debug, trace",
    "arena models NET --layers": "models layers, params-count, models inspect, torchinfo, models params",
    _LOGS: "log, logs, history, watch, monitor, tail, events, follow, top",
    "arena runs show RUN": ("runs logs, runs log, runs watch, runs history, runs open, run watch, run logs, runs metrics"),
    "arena runs --sort val --limit 1": "runs best, best-run, runs top, runs latest, best-model, runs last",
    "arena runs --sort val": "runs search, runs filter, runs sort, runs query, runs find, runs leaderboard",
    "arena report table --out runs.csv": "runs export, runs download, runs csv, csv, export-runs, run download, table",
    "Ctrl-C stops a training, and the same line goes on with it; a sweep: arena sweep stop STUDY": (
        "runs stop, runs cancel, runs kill, run cancel, run stop, kill, cancel, abort, run kill, stop-run"
    ),
    "arena runs rm RUN": "delete, remove, rm, clean, prune, purge, clear, runs prune, runs clean, runs clear, del",
    "arena runs name RUN NAME, arena runs tag RUN TAG": "rename, tags, mark, runs edit, runs update, note, runs mark",
    "arena sweep best STUDY": "best-trials, best-params, sweep best-trials, best-value, sweep top, sweep best_trial",
    "arena sweep trials STUDY --csv": "sweep export, sweep download, sweep csv, sweep table",
    "arena sweep status": "study-names, list-studies, list-sweeps, progress, sweep stats, sweep logs, sweep runs",
    "arena sweep agent STUDY": "worker, workers, launch-agent, join-sweep, sweep work, sweep agents, sweep workers",
    _NO_ASK: "ask, tell, sweep ask, sweep tell, sweep enqueue, enqueue, enqueue-trial",
    _NEW_STUDY: "sweep init, sweep add, sweep tune, sweep search, sweep execute, sweep train, sweep go",
    _DELETE_STUDY: "sweep delete, sweep rm, sweep remove, delete-study, sweep clean, sweep clear, sweep reset",
    "the same arena sweep run line again goes on until the budget is reached": ("sweep rerun, sweep restart, sweep retry"),
    "arena sweep stop STUDY": "sweep kill, sweep abort, sweep finish, sweep terminate, sweep halt",
    "arena sweep run FILE --budget N": "sweep edit, sweep update, sweep extend, sweep budget, sweep set",
    "arena sweep lint FILE": "lint, lint-sweep, validate-sweep, sweep test, sweep dry-run, sweep config, sweep space",
    "arena report build (it draws every study)": (
        "sweep plot, sweep report, importance, sweep importance, sweep visualize, sweep plots"
    ),
    _CLUSTER: "slurm, ray, cluster, sbatch, submitit, launch-slurm, sweep slurm, sweep submit, sweep ray, queue",
    "arena sweep run FILE --engine wandb": (
        "controller, scheduler, wandb sweep, wandb launch-sweep, wandb controller, wandb run"
    ),
    "arena wandb sweep-file FILE": ("wandb scheduler, wandb sweep-config, wandb scheduler-file, wandb export, wandb config"),
    "arena wandb sync": "sync, wandb-sync, mirror",
    _WANDB: (
        "wandb init, wandb offline, wandb online, wandb status, wandb docker, wandb launch, wandb launch-agent, "
        "wandb artifact, wandb pull, wandb restore, wandb server, wandb verify, wandb enabled, wandb disabled, "
        "wandb agent, wandb job, wandb beta, wandb logout, wandb off, wandb on, wandb local, wandb docker-run"
    ),
    "arena train --wandb off, --wandb offline or --wandb online": "offline, online, disabled, enabled, off, on",
    "there are no artifacts: a run is its folder (arena runs show RUN), its net goes out by arena export RUN": (
        "artifact, artifacts, artifact get, artifact put, artifact ls, checkpoint, checkpoints, weights"
    ),
    "arena contest backup FILE, arena contest restore FILE": "backups, snapshot, dump",
    "arena contest migrate (an older contest.db); a study's storage needs no upgrade": "storage upgrade, storage, db",
    "arena doctor": "diagnose, health, env-info, sysinfo, system, gpu, gpus, cuda, devices, device, install",
    "arena --install-completion": "completion, completions, autocomplete, install-completion, shell-completion",
    "arena --help, or --help behind a command": "man, docs, doc, usage, commands, manual, tutorial, guide, examples",
    "arena notebook project (to work in), arena report notebook (the whole story)": (
        "jupyter, colab, ipynb, lab, notebook list, notebook init, notebook create, notebook new, notebook make, "
        "notebook push, notebook pull, notebook run, notebook output, notebook status, notebook build, notebook open, "
        "notebook start, notebook report, notebook write, notebook get, notebook generate"
    ),
    "arena demo (everything, on synthetic voices)": "example, sample, try, tour, playground, simulate, hello",
    "files and folders are yours: git keeps their history, Arena none of its own": (
        "commit, checkout, branch, add, issue, pr, gist, fork, revert, stash, rebase, init-repo, tag-release"
    ),
    _MERGE: "merge-teams, combine, concat",
    "arena contest close --reason TEXT, arena sweep stop STUDY": "end, finish, freeze, terminate",
}
HINTS = index_words(_MEANINGS)


def format_hint(words: str, typed: str = "") -> str:
    """Return the error of a command that has a hint; `typed`, where it was spelt otherwise."""
    line = HINTS[words]
    return f"no command {typed or words!r}; " + (f"did you mean: {line}" if line.startswith("arena ") else line)

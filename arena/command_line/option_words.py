"""Options of other tools, and Arena's own of before: what they are called here, or why there is none."""

from __future__ import annotations

from arena.base.suggest import index_words

NAMES = {  # an option, or "<argument>" whose place the value takes; the first that the command has: the words for it
    "--address": "--url, --contest-url, --server, --endpoint, --base-url, --site, --host",
    "--again": "--resubmit, --repeat, --once-more",
    "--agents": (
        "--n-jobs, -j, --jobs, --workers, --num-workers, --n-workers, --parallel, --processes, --concurrency, --nproc, --procs"
    ),
    "--jobs": (
        "--n-jobs, -j, --agents, --workers, --num-workers, --n-workers, --parallel, --processes, --concurrency, "
        "--nproc, --procs, --threads, --num-processes, --num-procs, --max-workers"
    ),
    "--all": "--every, --all-models, --all-variants, -a, -A",
    "--all-speakers": "--speakers, --every-speaker, --all",
    "--all-teams": "--all, -a",
    "--budget": (
        "--n-trials, --trials, -n, --max-trials, --num-trials, --count, --run-cap, --max-evals, --num-samples, "
        "--n-iter, --max-runs, --limit, --n-runs, --num-runs, --evals"
    ),
    "--config": (
        "--config-file, --config-name, --cfg-path, --conf, --yaml, --hparams, --params, --settings, -c, --cn, "
        "--experiment, --preset, --recipe, --args-file, --from, --cfg-file"
    ),
    "--corpus": "--data, --dataset, --data-dir, --recordings, --input, -d",
    "--deadline": "--due, --end, --until, --date, --closes",
    "--device": "--accelerator, --dev, -D",
    "--dry-run": "--dryrun, --check, --validate, --simulate, --test, --plan, -n",
    "--from": "--warm-start, --source, --start-from, --init-from, --prior",
    "--folds": "--k, --k-folds, --n-folds, --n-splits, --cv, --kfold, -k, --splits, --fold, --num-folds",
    "--into": "--to, --with, --target",
    "--lang": "--language, --locale, -l",
    "--language": "--lang, --locale, -l, --voice, --languages",
    "--limit": "-n, -L, --max, --top, --head, --page-size, --first, --num, --last, --count, --max-results, -l",
    "--metric": "--score, --scorer, --metric-file",
    "--model": "--model-name, --net, --arch, --architecture, --network, --backbone, -M, --models, --nets, --model-type",
    "--n-clips": "--clips, --n, -n, --count, --num-clips, --size, --samples, --n-samples",
    "--n-speakers": "--speakers, --voices, --num-speakers, --n-voices",
    "--name": (
        "--study-name, --study, --run-name, --exp-name, --experiment-name, --id, -N, --job-name, --display-name, --title, -n"
    ),
    "--on": "--cluster, --launcher, --executor, --backend, --platform, --queue",
    "--onnx": "--model, --net, --weights",
    "<files>": "--file, -f, --files, --input, -i, --wav, --audio, --data",
    "--recordings": "--clips, --audio, --input, --folder, --data, --wavs, --dir, --directory",
    "--out": (
        "-o, --output, --output-dir, --outdir, --out-dir, --save, --save-to, --dest, --destination, --target, --path, "
        "--dir, --directory, --outfile, --output-file, -O, --to, --export, --outpath, -D, --save-path, --submission, "
        "--html, --filename, --file"
    ),
    "--per-digit": "--per-class, --n, -n, --count, --samples, --num-samples, --n-samples, --limit",
    "--port": "-p, --listen",
    "--project": "-p, --wandb-project",
    "--entity": "-e, --wandb-entity, --org",
    "--reason": "--message, -m, --comment, --note, --notes, --why, --body",
    "--remove": "--drop, --delete, --unset, -d, --rm, --clear",
    "--runs": (
        "--log-dir, --save-dir, --run-dir, --runs-dir, --results-dir, --checkpoint-dir, --ckpt-dir, "
        "--default-root-dir, --logdir, --output, --output-dir, --out, -o, --dir, --outdir, --save, --experiments"
    ),
    "--n-attempts": "--attempts, --n, -n",
    "--n-seeds": "--repeats, --seeds, --num-seeds, --repeat, --n-repeats",
    "--seeds": "--repeats, --n-seeds, --num-seeds, --repeat, --n-repeats",
    "--try": "--enqueue, --enqueue-trial, --points, --point, --initial-point, --init-points",
    "--until": "--target, --stop-at, --goal-value, --threshold",
    "--secret": "--seed",
    "--sort": "--sort-by, --order, --order-by, --sort-key, -S",
    "--split": "--on, --set, --subset, --partition, --part, --eval-on",
    "--state": "--status, -s",
    "--storage": "--db, --database, --rdb, --postgres",
    "--table": "--csv, --metadata, --labels, --manifest",
    "--tag": "--tags, --label, --labels, -t, --group, --job-type",
    "--team": "--team-name, --user, --username, -u, -t, --participant, --name",
    "--tiles": (
        "--data, --dataset, --data-dir, --dataset-dir, --data-path, --tiles-dir, --input, --in, -i, -d, --train-data, "
        "--features, --root, --images"
    ),
    "--title": "--name, --heading, -t",
    "--token-file": "--netrc, --credentials",
    "--variant": "--variants, --augmentation, --filter, --aug, -V, --preprocessing",
    "--wandb": "--wandb-mode, --mode, --logger, --report-to",
    "--version": "-V, --v, -v",
    "--yes": "-y, --force, --no-input, --assume-yes, --confirm, --no-confirm, -Y",
    "--force": "--overwrite, -f, --yes, -y, --replace, --exist-ok",
    "--private": "--host-view, --show-private",
    "<run>": (
        "--run, --run-id, --id, -r, --checkpoint, --ckpt, --weights, --model-path, --model, --name, --run-name, "
        "--ckpt-path, --from-run, --net"
    ),
    "<file>": (
        "--file, -f, --filename, --input, -i, --csv, --path, --submission, --predictions, --sweep, --config, -c, "
        "--yaml, --sweep-file"
    ),
    "<folder>": (
        "--data, --dataset, --data-dir, --input, -i, --in, --folder, --dir, --corpus, --path, --recordings, --source, -d"
    ),
    "<corpus>": (
        "--data, --dataset, --data-dir, --input, -i, --in, --folder, --dir, --corpus, --path, --recordings, --source, -d"
    ),
    "<name>": "--name, -n, --study-name, --study, -d, --dataset, --team, --team-name, --sweep, --id, --new-name",
    "<names>": ("--name, -n, --study-name, --study, --studies, --sweep, --sweep-id, --id, --model, --net, --arch, --names"),
    "<out>": "--out, -o, --output, --output-dir, --path, -p, --dest, --dir, --to, --target, --outdir, --folder",
    "<solution>": "--solution, -s, --labels, --truth, --answers, --file, -f, --ground-truth, --input",
    "<submission>": "--submission, --predictions, --file, -f",
    "<team>": "--team, -t, --team-name, --user, --name",
    "<deadline>": "--deadline, --to, --until, --date, --due",
    "<tags>": "--tag, --tags, --label, --add",
    "<number>": "--number, --attempt, -n",
}
FIXED = {  # what is typed instead, with its value: the words for it
    "--variant raw": "--no-augment, --no-aug, --no-augmentation",
    "--variant raw+aug": "--augment, --use-augmentation, --with-augmentation",
    "--device cpu": "--cpu, --no-cuda, --no-gpu, --use-cpu",
    "--device cuda": "--gpu, --cuda, --use-cuda, --use-gpu",
    "--wandb off": "--no-wandb, --disable-wandb, --nowandb, --wandb-off, --disabled, --no-log",
    "--wandb offline": "--offline",
    "--wandb online": "--online, --use-wandb, --log-wandb, --wandb-online",
    "--on slurm": "--slurm, --sbatch",
    "--on ray": "--ray",
    "--engine wandb": "--wandb-sweep",
    "--sort val": "--best, --by-score",
    "--lang es": "--spanish",
    "--json": "--as-json, --to-json",
    "--state finished": "--finished, --done, --completed",
    "--state failed": "--failed",
}
_SAME_LINE = "the same line again goes on where it stopped, and answers what is done from its folder: leave {option} out"
_FILE_SAYS = "method, metric, parameters and early_terminate stand in the sweep file: arena sweep run FILE"
_QUIET = "notes go to stderr, results to stdout: `2>/dev/null` is quiet, `arena --version` says which Arena this is"
_KEYS = "every setting with its default: arena train --keys; those of the project: arena config"
_GPUS = "--device cuda or cuda:1 names the GPU of a training; several are for searches: arena sweep run FILE --gpus 0,1"
_MANY = "many values are tried by arena sweep run FILE, both models on all variants by arena train --all"
_NO_TIME = "a training ends by train.epochs=N, a sweep by arena sweep run FILE --budget N, or --hours 2.5 as well"
_SLURM = "arena sweep run FILE --on slurm --place slurm_partition=gpu"
_W_AND_B = "W&B's project and entity stand in arena.toml ([wandb]) or in WANDB_PROJECT and WANDB_ENTITY"
_PAGE = "arena contest serve (the contest on the web), arena report build (one HTML file)"
_ONE_FILE = "settings stand in one file: --config FILE"
_SECRET = "a token is not typed where others may read it: set ARENA_TOKEN, or name a file by --token-file"
_NO_ASK = "nothing is asked here, so nothing is confirmed: leave {option} out"
_NO_LOADER = "nothing has to load data beside a training: leave {option} out (--jobs N is for N trainings at once)"
_QUICK = "a quick look is arena train train.epochs=1 model.width=0.25"
_PRECISION = "there is no such setting; arena train --keys lists them all"
REASONS = {  # explanation: the words that get it
    _SAME_LINE: (
        "--experimental-rerun, --resume, --continue, --restart, --resume-from, --auto-resume, --load-if-exists, "
        "--skip-if-exists, --from-checkpoint, --reuse, --exist-ok, --resume-id, --load, --rerun, --must-resume, "
        "--overwrite, --no-cache, --ckpt, --ckpt-path, --checkpoint, --resume-from-checkpoint"
    ),
    _FILE_SAYS: (
        "--sampler, --pruner, --method, --search, --algo, --algorithm, --direction, --directions, --metric, --goal, "
        "--search-space, --space, --early-terminate, --pruning, --hyperband, --strategy, --sampler-kwargs, "
        "--objective, --minimize, --maximize, --values, --param, --parameters, --grid, --random, --bayes"
    ),
    _QUIET: (
        "--verbose, -v, -vv, --debug, --quiet, -q, --silent, --log-level, --loglevel, --no-progress, --progress, "
        "--log-file, --verbosity, --color, --no-color, --no-bar, --info-level"
    ),
    _KEYS: (
        "--cfg, --info, --resolve, --package, --print-config, --show-config, --hydra-help, --defaults, --help-all, --options"
    ),
    _GPUS: ("--gpus, --num-gpus, --n-gpus, --gpu-ids, --gpu-id, --devices, --cuda-devices, --nproc-per-node, --mps, --tpu"),
    _MANY: "--multirun, -m, --sweep, --grid-search, --tune, --hpo",
    _NO_TIME: "--timeout, --max-time, --time-limit, --walltime, --max-hours, --max-steps, --steps, --hours, --max-iters",
    _SLURM: "--partition, --slurm-partition, --qos, --mem, --nodes, --time, --ntasks, --cpus-per-task",
    _W_AND_B: "--project, --entity, --wandb-project, --wandb-entity, --org",
    _PAGE: "--web, -w, --browser, --open, --ui",
    _SECRET: "--token, --api-key, --key, --password, --auth, --secret",
    _NO_ASK: "--yes, -y, --force, --confirm, --no-input",
    _ONE_FILE: "--config-path, --config-dir, --cp, --cd",
    _QUICK: "--fast-dev-run, --smoke-test, --sanity-check, --limit-train-batches, --overfit-batches",
    _PRECISION: (
        "--fp16, --amp, --bf16, --mixed-precision, --precision, --compile, --deterministic, --ema, --grad-clip, --clip-grad"
    ),
}
_BUDGETS = ("budget", "count", "n-trials", "trials", "run-cap")
_AGENTS = ("agents", "n-jobs", "jobs", "workers", "parallel")
_LOADERS = ("workers", "num-workers", "n-workers", "max-workers", "dataloader-num-workers")
BY_COMMAND = {  # command and option: explanation
    "eval --fold": "every fold is trained: --folds loso; a single one is a training: arena train split.kind=loso split.fold=0",
    "eval --name": "trainings of an evaluation have no names of their own: leave {option} out",
    "eval --seed": "it trains with seeds 0, 1, ..: --n-seeds N says how many",
    "eval --metric": "it prints macro-F1, per fold, per speaker and over all; arena report build has the other metrics",
    "eval --run": "it trains anew; of a run there: arena runs show RUN (scores), arena predict RUN (answers)",
    **{f"{command} --{option}": _NO_LOADER for command in ("train", "eval") for option in _LOADERS},
    "train --run": "it trains at once: leave {option} out",
    "train -r": "it trains at once: leave {option} out",
    "report table --csv": "arena report table --out FILE",
    "submit --contest": "--address names the contest's page; to its file: arena contest submit FILE --team TEAM",
    "contest submit --dry-run": "a file is checked without an attempt by arena contest validate FILE",
    "contest attempts --csv": "arena contest attempts TEAM --json",
    "report --pdf": "arena report build --pdf",
    "report --out": "arena report build --out FILE",
    "report -o": "arena report build --out FILE",
    "train --cfg": _KEYS,
    "train --folds": (
        "one fold is a setting, `arena train split.kind=loso split.fold=0`; all of them: arena eval --folds loso"
    ),
    **dict.fromkeys(("train --k-folds", "train --cv"), "arena eval --folds 5 trains and tests every fold"),
    "train --budget": "a budget is a sweep's: arena sweep run FILE --budget N",
    **dict.fromkeys(("train --n-trials", "train --count"), "trials are a sweep's: arena sweep run FILE --budget N"),
    "train --save": "every training keeps its net in its run folder (`--runs` says where): leave it out",
    "sweep agent --count": "the budget is the study's: arena sweep run FILE --budget N",
    "sweep agent --budget": "the budget is the study's: arena sweep run FILE --budget N",
    "sweep agent --n-trials": "the budget is the study's: arena sweep run FILE --budget N",
    "train --shell-completion": "arena --install-completion",
    " --shell-completion": "arena --install-completion",
    " --completion": "arena --install-completion",
    "sweep --stop": "arena sweep stop STUDY",
    "sweep --cancel": "arena sweep stop STUDY",
    "sweep --pause": "arena sweep pause STUDY",
    "sweep --resume": "arena sweep resume STUDY",
    **dict.fromkeys((f"sweep --{option}" for option in _BUDGETS), "arena sweep run FILE --budget N"),
    **dict.fromkeys((f"sweep --{option}" for option in _AGENTS), "arena sweep run FILE --agents N"),
    "sweep --name": "arena sweep run FILE --name NAME",
    "sweep --project": "arena sweep run FILE --engine wandb --project NAME",
    "runs --filter": "--model, --variant, --state and --tag choose: arena runs --model NET",
    "runs --query": "--model, --variant, --state and --tag choose: arena runs --model NET",
    "export --onnx": "arena export RUN --out FILE",
    "predict --top-k": "--json prints all ten probabilities",
    "train --pretrained": "there are no trained weights to begin with: every net begins at random",
    "sweep run --stop": "arena sweep stop STUDY",
    "sweep run --pause": "arena sweep pause STUDY",
    "sweep run --resume": "arena sweep resume STUDY (after a pause), or the same arena sweep run line again",
    "sweep run --cancel": "arena sweep stop STUDY",
    "sweep run --update": "edit the file, and run it under another name: --name NAME",
    "sweep run --controller": "arena sweep run FILE --engine wandb",
    "sweep run --config-name": "the sweep file is the first word: arena sweep run FILE",
    "data get --unzip": "it is unpacked by itself: leave it out",
    "data get --untar": "it is unpacked by itself: leave it out",
    "data get --force": "what is there is verified and kept; delete the folder to get it anew",
    "data prepare --augment": "augmentation is drawn while training, never stored: arena train --variant raw+aug",
    "data prepare --variant": "raw and bilateral are both made; trainings choose: arena train --variant bilateral",
    "data prepare --filter": "raw and bilateral are both made; trainings choose: arena train --variant bilateral",
    "contest init --attempts": "a team has three attempts; a further one: arena contest grant TEAM --reason TEXT",
    "contest init --max-submissions": "a team has three attempts; a further one: arena contest grant TEAM --reason TEXT",
    "contest init --title": "arena contest init SOLUTION --name NAME",
    "contest standings -d": "arena contest gradebook FILE (a CSV), arena contest standings --json",
    "runs show --web": "arena report build",
    "runs show -w": "arena report build",
    "sweep --update": "edit the file, and run it under another name: arena sweep run FILE --name NAME",
    "contest standings --download": "arena contest gradebook FILE (a CSV), arena contest standings --json",
    "contest standings --csv": "arena contest gradebook FILE (a CSV), arena contest standings --json",
    "contest standings --public": "public scores are what it prints; --private adds the host's",
    "runs rm --all": "name the runs, or --state failed: arena runs rm RUN",
    "runs --json-fields": "--json prints all fields",
    "predict --batch-size": "there is no batch to choose: leave it out",
    "predict --proba": "--json prints all ten probabilities",
    "predict --probabilities": "--json prints all ten probabilities",
}
_OF_TRAININGS = (_ONE_FILE, _FILE_SAYS, _KEYS, _GPUS, _MANY, _NO_TIME, _SLURM, _W_AND_B, _QUICK, _PRECISION, _SAME_LINE)
_TRAINING = ("", "train", "eval", "sweep", "demo")
_DROPPED = {  # options that are left out with their value: the commands
    "-c": "contest submit, contest standings, contest attempts, contest validate, submit",
    "--competition": "contest submit, contest standings, contest attempts, contest validate, submit",
    "--include-offline": "wandb sync",
    "--sync-all": "wandb sync",
    "-m": "contest submit, submit, data get",
    "--mine": "data get",
    "-k": "contest submit, submit",
    "--kernel": "contest submit, submit",
    "--log": "runs show",
    "--list": "models, runs, sweep status, contest team list",
    "-s": "contest standings",
    "--show": "contest standings",
    "--message": "contest submit, submit",
}
_CONFIGS = ("job", "hydra", "all")  # values of Hydra's -c
_FIXED_OF_WORD = index_words(FIXED)
_REASON_OF_WORD = index_words(REASONS)


def translate_option(option: str) -> list[str]:
    """Return what an option of another tool may be called here: options, with a value or without, and `<arguments>`."""
    if option in _FIXED_OF_WORD:
        return [_FIXED_OF_WORD[option]]
    return [name for name, words in NAMES.items() if option in words.split(", ")]


def is_word(option: str) -> bool:
    """Return True for an option that other tools have: no misspelling of another."""
    return bool(translate_option(option)) or option in _REASON_OF_WORD or option in _DROPPED


def is_dropped(command: str, option: str) -> bool:
    """Return True for an option that means nothing to this command and is left out with its value."""
    return command in _DROPPED.get(option, "-").split(", ")


def explain_here(command: str, option: str, value: str) -> str:
    """Return the reason that this very command has no such option, or the line to type; empty where neither is known."""
    return _KEYS if option == "-c" and value in _CONFIGS else BY_COMMAND.get(f"{command} {option}", "")


def explain_anywhere(command: str, option: str) -> str:
    """Return the reason that no command has such an option; empty where none is known, or not for this command."""
    text = _REASON_OF_WORD.get(option, "")
    return "" if text in _OF_TRAININGS and command.split(" ")[0] not in _TRAINING else text

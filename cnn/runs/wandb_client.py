"""W&B's client: start, close, send or view copies of runs. The only module of cnn that imports wandb."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from cnn import config as cfg
from cnn.config import RunConfig
from cnn.errors import RunError
from cnn.overrides import flatten
from cnn.runs.folder import EpochRow, RunFolder, RunResult, RunState, Score, drop_test
from cnn.runs.wandb_record import Copy, find_id, list_files, make_id, read_copy, write_copy

CLOSE_S = 30.0  # limit for the rest of an upload when a run ends; wandb's own default waits for ever
_CONNECT_S = 20  # wandb's own default waits 90 s
_VIEW_S = 2  # between looks for new runs
_ASK_S = 5  # limit for a question that can do without an answer
_DELETED = "previously created and deleted"  # the server's 409; the client adds words of its own

T = TypeVar("T")


class RunDeletedError(ConnectionError):
    """The run was deleted at W&B, whose server never takes its id again."""


def is_logged_in() -> bool:
    """Return whether wandb has credentials for its server, without asking the user for any."""
    try:
        import wandb

        wandb.setup(settings=wandb.Settings(silent=True, mode="online"))  # nobody is logged in under WANDB_MODE=offline
        return wandb.run is not None or wandb.login(prompt=False, verify=False)
    except Exception:  # wandb raises many kinds, and none of them is the user's concern here
        return False


def stop_service() -> None:
    """End wandb's process, which still holds the id of a run that could not begin."""
    import wandb

    wandb.teardown()


def begin_copy(folder: RunFolder, copy: Copy, start: Callable[[Copy], T]) -> tuple[Copy, T]:
    """Record `copy` in its folder, call `start` with it, and return both; a run deleted at W&B begins anew with another id.

    The caller holds the folder's lock.
    """
    before = read_copy(folder)
    if copy.mode == "online" and before and before.mode == "online" and before.id == copy.id and find_deleted([copy]):
        copy = replace(copy, id=make_id(folder.digest))  # asked first, for the client repeats what is refused until its limit
    write_copy(folder, copy)
    try:
        return copy, start(copy)
    except RunDeletedError:
        copy = replace(copy, id=make_id(folder.digest))
        write_copy(folder, copy)
        return copy, start(copy)


def find_deleted(copies: Sequence[Copy]) -> set[str]:
    """Return the ids of those copies, all of one project, that W&B no longer has; none where it gives no answer."""
    import wandb

    path = "/".join(filter(None, (copies[0].entity, copies[0].project)))
    ids = [copy.id for copy in copies]
    try:
        runs = wandb.Api(timeout=_ASK_S).runs(path, filters={"name": {"$in": ids}})
        return set(ids) - {run.id for run in runs}
    except ValueError:  # the project is gone, too
        return set(ids)
    except Exception:
        return set()


def send_run(folder: RunFolder, copy: Copy, config: RunConfig, files_dir: Path, wait_s: float) -> str:
    """Send W&B what it lacks of an ended run, and return its page's address. The caller holds the lock.

    Args:
        files_dir: wandb's own files.
        wait_s: limit for the upload.

    Raises:
        ConnectionError: W&B was not reached, refused the run, or did not take everything in time.
    """
    copy = replace(copy, id=find_id(folder), mode="online", sent=False)
    copy, url = begin_copy(folder, copy, lambda copy: replay(folder, copy, config, files_dir, wait_s))
    record_copy(folder, replace(copy, url=url, sent=True))
    return url


def replay(folder: RunFolder, copy: Copy, config: RunConfig, files_dir: Path, wait_s: float = 0.0) -> str:
    """Send a run as `send_run` does, but record nothing: `copy` may be another run at W&B. A trial's gets no test part."""
    result = folder.result()
    if result and copy.job_type == "trial":
        result = drop_test(result)
    try:
        run = start_run(copy, config, files_dir, lambda: None, wait_s=wait_s)
        for row in folder.epochs():
            log_epoch(run, row)
        url = str(run.url or "")
        in_time = close_run(run, folder, result)
    except RunDeletedError:
        raise
    except Exception as error:
        raise ConnectionError(format_error(error)) from error
    if not in_time:
        raise ConnectionError(f"it did not take everything within {wait_s or CLOSE_S:.0f} s")
    return url


def start_run(
    copy: Copy, config: RunConfig, files_dir: Path, on_stop: Callable[[], None], wait_s: float = 0.0, axis: str = "epoch"
) -> Any:
    """Start or resume a run at W&B, wandb's own files in `files_dir`, its curves drawn over `axis`.

    Raises:
        RunDeletedError: W&B had the run, and it was deleted there. Other errors are wandb's.
    """
    if copy.mode == "offline":
        os.environ["WANDB_ERROR_REPORTING"] = "false"  # wandb 0.31 looks its server up even offline without this
    import wandb

    settings = wandb.Settings(
        silent=True,
        console="off",
        init_timeout=_CONNECT_S,
        finish_timeout=wait_s or CLOSE_S,
        finish_timeout_raises=True,
        disable_git=True,
        x_disable_stats=True,
        stop_fn=on_stop,
    )
    try:
        run = wandb.init(
            project=copy.project,
            entity=copy.entity or None,
            id=copy.id,
            name=copy.name or f"{config.model.label}.{config.variant}",
            group=copy.group,
            job_type=copy.job_type,
            tags=(config.model.label, config.variant),
            config=flatten(cfg.config_to_dict(config)),  # dotted, as in sweep files: W&B then shows sweeps and trainings alike
            dir=files_dir,
            mode="online" if copy.mode == "online" else "offline",
            resume="allow" if copy.mode == "online" else None,
            reinit="create_new",
            settings=settings,
        )
    except wandb.Error as error:
        if _DELETED in str(error):
            raise RunDeletedError(f"run {copy.id} was deleted at W&B") from error
        raise
    run.define_metric(axis, hidden=True)  # no curve of its own
    run.define_metric("*", step_metric=axis)
    return run


def close_run(run: Any, folder: RunFolder, result: RunResult | None) -> bool:
    """Send the result of the run and close it; False if W&B did not take everything in time."""
    is_whole = True
    if result:
        if result.state is not RunState.FINISHED:
            run.tags = (*run.tags, result.state.value)
        try:
            _send_tables(run, folder, result)
        except Exception as error:  # an artifact asks the server how it is to be hashed
            if not _is_server_error(error):
                raise
            is_whole = False
        run.summary.update(_summary(folder, result))  # after the last point, whose values W&B puts there
    else:
        run.mark_preempting()  # paused: W&B shows it as preempted, not as crashed, until it goes on
    try:
        run.finish(exit_code=0 if result and result.state is not RunState.FAILED else 1)
    except TimeoutError:
        return False
    return is_whole


def _is_server_error(error: Exception) -> bool:
    import wandb

    return isinstance(error, wandb.Error | TimeoutError)


def abandon_run(run: Any, cause: str) -> None:
    """Close a run that failed."""
    run.summary.update({"state": RunState.FAILED.value, "cause": cause})
    run.tags = (*run.tags, RunState.FAILED.value)
    with contextlib.suppress(TimeoutError):
        run.finish(exit_code=1)


def _send_tables(run: Any, folder: RunFolder, result: RunResult) -> None:
    import wandb

    scores = {split: score for split, score in result.scores.items() if split != "train"}
    charts = {f"{split}_confusion": _confusion(score, result.labels, split) for split, score in scores.items()}
    if charts:  # an autoencoder has none
        run.log(charts, step=result.n_epochs, commit=True)  # in the last epoch's point: W&B's hyperband counts points
    predictions = folder.path / "predictions.csv"
    stored = folder.stored_result()
    if predictions.exists() and stored and stored.scores.keys() == result.scores.keys():
        artifact = wandb.Artifact(f"predictions-{folder.digest}", type="predictions")
        artifact.add_file(str(predictions), policy="immutable", skip_cache=True)  # the file stays: no copies in the home folder
        run.log_artifact(artifact)


def _confusion(score: Score, labels: tuple[str, ...], split: str) -> Any:
    import wandb

    cells = [(i, j) for i, row in enumerate(score.confusion) for j, n in enumerate(row) for _ in range(n)]
    return wandb.plot.confusion_matrix(
        y_true=[i for i, _ in cells],
        preds=[j for _, j in cells],
        class_names=list(labels),
        title=f"{split} clips",
    )


def log_epoch(run: Any, row: EpochRow) -> None:
    """Send one epoch, unless W&B has it: a resumed run starts behind the last."""
    if row.epoch >= run.starting_step:
        run.log(_list_figures(row), step=row.epoch)


def _list_figures(row: EpochRow) -> dict[str, Any]:
    return {name: value for name, value in row.to_json().items() if value is not None}


def record_copy(folder: RunFolder, copy: Copy) -> None:
    """Record in the run folder where its copy is."""
    write_copy(folder, copy)
    folder.update_result(wandb_mode=copy.mode, wandb_url=copy.url)


def _summary(folder: RunFolder, result: RunResult) -> dict[str, Any]:
    """Return what W&B's table of runs shows: the best epoch's row in place of the last one's, and the scores of its weights."""
    summary: dict[str, Any] = {"state": result.state.value, "best_epoch": result.best_epoch, "parameters": result.n_parameters}
    for row in folder.epochs():
        if row.epoch == result.best_epoch:
            summary |= _list_figures(row)
    if result.cause:
        summary["cause"] = result.cause
    for split, score in result.scores.items():
        summary |= {f"kept/{split}_{name}": getattr(score, name) for name in ("loss", "accuracy", "macro_f1")}
    for split, error in (result.reconstruction.scores if result.reconstruction else {}).items():
        summary |= {f"kept/{split}_{name}": getattr(error, name) for name in ("mse", "psnr_db", "pca_mse")}
    return summary


def format_error(error: Exception) -> str:
    """Return wandb's error as one line for people."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]


def view_runs(path: Path) -> None:
    """Show wandb's files of runs in its terminal viewer until that is left; runs that begin meanwhile join.

    The viewer names runs by their folders, so it is given folders of links.

    Args:
        path: a folder of runs, or one run folder.

    Raises:
        RunError: there are no such files, or the viewer does not start.
    """
    import wandb

    environment = {**os.environ, "WANDB_ERROR_REPORTING": "false"}
    with tempfile.TemporaryDirectory(prefix="arena-wandb-") as folder:
        _link_files(Path(folder), path)
        command = (sys.executable, "-P", "-m", "wandb", "leet", "run", folder)
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as viewer:
            while viewer.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    viewer.wait(_VIEW_S)
                _link_files(Path(folder), path)
            if viewer.returncode:
                assert viewer.stderr
                cause = (viewer.stderr.read().strip().splitlines() or [f"exit code {viewer.returncode}"])[-1]
                raise RunError(f"the viewer of wandb {wandb.__version__}, `wandb leet`, does not start: {cause}")


def _link_files(folder: Path, path: Path) -> None:
    for name, file in list_files(path).items():
        link = folder / f"run-{name}" / f"run-{name.partition('-')[2]}.wandb"  # time and name, as wandb does; the name alone
        if not link.parent.exists():
            link.parent.mkdir()
            link.symlink_to(file.resolve())

"""One run's copy in W&B through its client: begun, closed, or sent whole. The only module of cnn that imports wandb."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from cnn import config as cfg
from cnn.config import RunConfig
from cnn.overrides import flatten
from cnn.runs.folder import RunFolder, RunResult, RunState, Score
from cnn.runs.wandb_record import Copy, write_copy

CLOSE_S = 30.0  # for what W&B has not taken when a run ends; wandb's own default waits for ever
_CONNECT_S = 20  # wandb's own default waits 90 s


def is_logged_in() -> bool:
    """Whether wandb finds credentials for its server, without asking for any."""
    try:
        import wandb
        from wandb.sdk.lib import wbauth

        host = wandb.setup(settings=wandb.Settings(silent=True)).settings.base_url
        return wbauth.authenticate_session(host=host, source="arena", prompt=False, update_session=False) is not None
    except Exception:  # wandb raises many kinds, and none of them is the user's concern here
        return False


def forget() -> None:
    """End wandb's process, which still holds the id of a run that could not begin."""
    import wandb

    wandb.teardown()


def send(folder: RunFolder, copy: Copy, config: RunConfig, place: Path, wait_s: float) -> str:
    """Copy a run that has ended to W&B, whole or what is missing there; the address of its page. Hold the folder.

    Args:
        place: where wandb keeps its own files.
        wait_s: for W&B to take everything.

    Raises:
        ConnectionError: W&B was not reached, or refused it, or did not take everything in time.
    """
    result = folder.result()
    assert result is not None
    url = replay(folder, copy, config, place, wait_s)
    note(folder, replace(copy, mode="online", url=url, sent=True), result)
    return url


def replay(folder: RunFolder, copy: Copy, config: RunConfig, place: Path, wait_s: float = 0.0) -> str:
    """What `send` does, without a note in the folder: `copy` may be another run of W&B's than the folder's own."""
    try:
        run = start(replace(copy, mode="online"), config, place, lambda: None, wait_s=wait_s)
        for row in folder.epochs():
            if row.epoch >= run.step:  # W&B keeps what it has
                run.log(asdict(row), step=row.epoch)
        url = str(run.url or "")
        in_time = close(run, folder, folder.result())
    except Exception as error:
        raise ConnectionError(one_line(error)) from error
    if not in_time:
        raise ConnectionError(f"it did not take everything within {wait_s or CLOSE_S:.0f} s")
    return url


def start(copy: Copy, config: RunConfig, place: Path, on_stop: Callable[[], None], wait_s: float = 0.0) -> Any:
    """An open run of wandb's, new or gone on with; wandb keeps its own files in `place`. Raises whatever wandb raises."""
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
    return wandb.init(
        project=copy.project,
        entity=copy.entity or None,
        id=copy.id,
        name=f"{config.model.label}.{config.variant}",
        group=copy.group,
        job_type=copy.job_type,
        tags=(config.model.label, config.variant),
        config=flatten(cfg.config_to_dict(config)),  # dotted, as in sweep files: W&B then shows sweeps and trainings alike
        dir=place,
        mode="online" if copy.mode == "online" else "offline",
        resume="allow" if copy.mode == "online" else None,
        reinit="create_new",
        settings=settings,
    )


def close(run: Any, folder: RunFolder, result: RunResult | None) -> bool:
    """Send what came of the run and close it; False when W&B did not take everything in time."""
    is_whole = True
    if result:
        run.summary.update(_summary(result))
        if result.state is not RunState.FINISHED:
            run.tags = (*run.tags, result.state.value)
        try:
            _send_tables(run, folder, result)
        except Exception as error:  # an artifact asks the server how it is to be hashed
            if not _is_of_server(error):
                raise
            is_whole = False
    else:
        run.mark_preempting()  # paused: W&B shows it as preempted, not as crashed, until it goes on
    try:
        run.finish(exit_code=0 if result and result.state is not RunState.FAILED else 1)
    except TimeoutError:
        return False
    return is_whole


def _is_of_server(error: Exception) -> bool:
    import wandb

    return isinstance(error, wandb.Error | TimeoutError)


def abandon(run: Any, cause: str) -> None:
    """Close a run that came to nothing."""
    run.summary.update({"state": RunState.FAILED.value, "cause": cause})
    run.tags = (*run.tags, RunState.FAILED.value)
    with contextlib.suppress(TimeoutError):
        run.finish(exit_code=1)


def _send_tables(run: Any, folder: RunFolder, result: RunResult) -> None:
    import wandb

    charts = {f"{split}_confusion": _confusion(score, result.labels, split) for split, score in result.scores.items()}
    charts.pop("train_confusion", None)
    if charts:
        run.log(charts, step=result.n_epochs)  # in the last epoch's point: W&B's hyperband counts points
    predictions = folder.path / "predictions.csv"
    if predictions.exists():
        artifact = wandb.Artifact(f"predictions-{folder.digest}", type="predictions")
        artifact.add_file(str(predictions), policy="immutable", skip_cache=True)  # the file stays: no copies in the home folder
        run.log_artifact(artifact)


def _confusion(score: Score, labels: tuple[str, ...], split: str) -> Any:
    import wandb

    cells = [(truth, said) for truth, row in enumerate(score.confusion) for said, n in enumerate(row) for _ in range(n)]
    return wandb.plot.confusion_matrix(
        y_true=[truth for truth, _ in cells],
        preds=[said for _, said in cells],
        class_names=list(labels),
        title=f"{split} clips",
    )


def note(folder: RunFolder, copy: Copy, result: RunResult) -> None:
    """Keep in the run folder where its copy is."""
    write_copy(folder, copy)
    folder.write_result(replace(result, wandb_mode=copy.mode, wandb_url=copy.url))


def _summary(result: RunResult) -> dict[str, Any]:
    summary: dict[str, Any] = {"state": result.state.value, "best_epoch": result.best_epoch, "parameters": result.n_parameters}
    if result.cause:
        summary["cause"] = result.cause
    for split, score in result.scores.items():
        for name in ("loss", "accuracy", "macro_f1"):
            summary[f"kept/{split}_{name}"] = getattr(score, name)
    return summary


def one_line(error: Exception) -> str:
    """What wandb raised, for people."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]

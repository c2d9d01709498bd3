"""A Slurm cluster of the tests' own: one node on 127.0.0.1 in a temporary folder, with its own munge key, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from support.postgres import end_with_parent

_READY_S = 60.0
_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "squeue", "scancel")
_SYSTEM_PATH = "/usr/sbin:/sbin"  # Debian has the daemons there, beside the path of ordinary accounts
# No accounting, as on small clusters: `sacct` fails there.
_CONFIGURATION = """
ClusterName=arena
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={account}
SlurmdUser={account}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
KillWait=30
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0,bf_interval=1
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=low Nodes={host} Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE
PartitionName=grace Nodes={host} MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=60
PartitionName=high Nodes={host} MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
"""


def missing_slurm() -> str:
    """Return the part of Slurm that this machine lacks, and its remedy; empty where all is there."""
    missing = [name for name in _PROGRAMS if not _find(name)]
    return f"Slurm is not installed ({missing[0]}); on Debian or Ubuntu: sudo .ci/debian-packages slurm" if missing else ""


@dataclass(kw_only=True)
class SlurmCluster:
    """A running cluster of two CPUs.

    A job of the partition `high` has those of `low` and `grace` requeued for its CPUs, at once and after a minute's notice.
    """

    folder: Path
    daemons: dict[str, subprocess.Popen[bytes] | None] = field(
        default_factory=lambda: dict.fromkeys(("munged", "slurmctld", "slurmd"))
    )

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables with which Slurm's commands use this cluster."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def call(self, *words: str) -> str:
        """Run one of Slurm's commands and return its output."""
        done = subprocess.run(words, env={**os.environ, **self.environment}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
        return done.stdout

    def read_states(self, states: str = "all") -> dict[str, str]:
        """Return the states of the jobs that the controller knows, by their numbers, or those in `states` alone."""
        lines = self.call("squeue", f"--states={states}", "--array", "--noheader", "--format=%i %T").splitlines()
        return dict(line.split() for line in lines)

    def start(self, name: str) -> None:
        """Start one of the daemons."""
        words = ["-D"]
        if name == "munged":
            files = {
                option: self.folder / f"munge.{option}"
                for option in ("socket", "key-file", "pid-file", "log-file", "seed-file")
            }
            words = ["--foreground", "--force", *(f"--{option}={path}" for option, path in files.items())]
        with (self.folder / f"{name}.out").open("ab") as log:
            # A session of its own: Ctrl-C in the terminal is for the tests, which then stop it.
            self.daemons[name] = subprocess.Popen(
                [_find(name), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=end_with_parent,
            )

    def restart_controller(self) -> None:
        """Kill the controller and start it again, which finds its jobs in its files."""
        controller = self.daemons["slurmctld"]
        assert controller is not None
        controller.kill()
        controller.wait()
        self.start("slurmctld")
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until the node is ready for jobs, or at work on some."""
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline and all(daemon and daemon.poll() is None for daemon in self.daemons.values()):
            with contextlib.suppress(AssertionError):
                if {"idle", "mixed", "allocated", "completing"} & set(self.call("sinfo", "--noheader", "--format=%T").split()):
                    return
            time.sleep(0.1)
        logs = sorted([*self.folder.glob("*.out"), *self.folder.glob("*.log")])
        ends = [f"{path.name}: {path.read_text(errors='replace')[-1500:]}" for path in logs]
        raise RuntimeError("Slurm does not start: " + "\n".join(ends))

    def preempt(self) -> None:
        """Take both CPUs from all jobs of `low` and `grace` for a second."""
        self.call("sbatch", "--partition=high", "--cpus-per-task=2", "--output=/dev/null", "--wrap=sleep 1")

    def start_requeued(self) -> None:
        """Let requeued jobs start in two seconds, when the credentials of their last start are old: Slurm waits two minutes."""
        waiting = self.call("squeue", "--states=PENDING", "--array", "--noheader", "--format=%i %r %S").splitlines()
        for job, reason, start in (line.rsplit(maxsplit=2) for line in waiting):
            if (
                reason == "BeginTime"
                and start != "N/A"
                and datetime.fromisoformat(start) > datetime.now() + timedelta(seconds=10)
            ):
                self.call("scontrol", "update", f"jobid={job}", "starttime=now+2")

    def end_jobs(self) -> None:
        """Cancel all jobs and wait until their processes are gone."""
        account = pwd.getpwuid(os.geteuid()).pw_name
        self.call("scancel", "--user", account)
        deadline = time.monotonic() + _READY_S
        while self.call("squeue", "--noheader").strip() and time.monotonic() < deadline:
            self.call("scancel", "--signal=KILL", "--user", account)
            time.sleep(0.2)


@contextlib.contextmanager
def running_cluster() -> Iterator[SlurmCluster]:
    """Start munge, the controller and the node; end them, and what they run, with the context.

    Raises:
        RuntimeError: they do not start; the ends of their logs are in the message.
    """
    folder = Path(tempfile.mkdtemp(prefix="arena-slurm-"))
    folder.chmod(0o755)  # munge wants its socket's folder readable
    cluster = SlurmCluster(folder=folder)
    try:
        _write_configuration(folder)
        for name in cluster.daemons:
            cluster.start(name)
        cluster.wait_until_ready()
        yield cluster
    finally:
        with contextlib.suppress(AssertionError):
            cluster.end_jobs()
        for daemon in reversed(cluster.daemons.values()):
            if daemon is not None:
                _stop(daemon)
        shutil.rmtree(folder, ignore_errors=True)


def _write_configuration(folder: Path) -> None:
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "munge.key-file").touch(mode=0o600)
    (folder / "munge.key-file").write_bytes(secrets.token_bytes(128))
    (folder / "cgroup.conf").write_text("CgroupAutomount=no\n")
    with socket.socket() as first, socket.socket() as second:
        for free in (first, second):
            free.bind(("127.0.0.1", 0))
        (folder / "slurm.conf").write_text(
            _CONFIGURATION.format(
                host=socket.gethostname().partition(".")[0],
                account=pwd.getpwuid(os.geteuid()).pw_name,
                folder=folder,
                controller_port=first.getsockname()[1],
                node_port=second.getsockname()[1],
            )
        )


def _stop(daemon: subprocess.Popen[bytes]) -> None:
    daemon.send_signal(signal.SIGTERM)
    try:
        daemon.wait(20)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _find(name: str) -> str:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}") or ""

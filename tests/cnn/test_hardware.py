"""Devices by name, refused in one line; how many processes a machine takes."""

from __future__ import annotations

import getpass
import os
import pwd
import subprocess
import sys

import pytest

from cnn.errors import ConfigError
from cnn.hardware import check_device_name, n_cores, n_processes, name_account
from cnn.train import pool as trainings
from cnn.train.device import resolve_device
from support.paths import ROOT


@pytest.mark.parametrize("name", ["auto", "cpu", "cuda", "cuda:1"])
def test_a_device_that_trainings_take_is_let_through(name: str) -> None:
    check_device_name(name)


@pytest.mark.parametrize("name", ["mps", "mps:0"])
def test_apples_gpu_is_refused_with_the_reason(name: str) -> None:
    law = "--device mps is not supported: it has no float64, which scores are computed in; use --device cpu"
    with pytest.raises(ConfigError) as caught:
        resolve_device(name)
    assert str(caught.value) == law


@pytest.mark.parametrize("name", ["meta", "xpu", "hip", "cuda:-1", "cuda:x", "cpu:0", "", "gpu", "cuda:0\n"])
def test_a_name_that_is_no_device_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_device(name)
    assert str(caught.value) == f"--device is auto, cpu, cuda or cuda:1, not {name!r}"


def test_a_gpu_that_is_not_here_is_refused_with_what_is() -> None:
    with pytest.raises(ConfigError, match=r"^--device cuda:99 is not here; this machine has cpu"):
        resolve_device("cuda:99")


LOADED = """
import sys
from cnn.cli import train as cli
from cnn.runs import evaluation as evaluate
from cnn.runs import wandb_mirror as mirror
from cnn.train import pool as trainings
trainings.is_gpu("cpu")
print("torch" in sys.modules)
"""


def test_trainings_on_a_cpu_are_started_without_torch() -> None:
    said = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert said == "False\n"


def test_without_a_driver_nobody_asks_for_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnn.hardware._DRIVERS", ())
    assert not trainings.is_gpu("auto")
    with pytest.raises(ConfigError, match=r"^--device cuda:99 is not here"):
        trainings.is_gpu("cuda:99")


def test_no_more_processes_than_tasks_or_cores() -> None:
    assert n_processes(on_gpu=False, n_tasks=1) == 1
    assert n_processes(on_gpu=False, n_tasks=10_000) == n_cores()
    assert n_processes(on_gpu=True, n_tasks=8) == 2
    assert n_processes(on_gpu=True, n_tasks=0) == 1


def test_an_account_without_a_name_goes_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_no_name(number: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "ann")
        monkeypatch.delenv(name)
    monkeypatch.setattr(pwd, "getpwuid", find_no_name)
    name_account()
    assert getpass.getuser() == str(os.getuid())

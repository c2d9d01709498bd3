"""The warm process outlives whatever happens to those it runs."""

import os
import signal
import subprocess

from support.warm_python import WarmPython


def test_a_process_killed_together_with_its_client_takes_no_other_with_it(warm_python: WarmPython) -> None:
    words = "import os, time; print(os.getpid(), os.getppid(), flush=True); time.sleep(60)"
    with warm_python.start("-c", words, stdout=subprocess.PIPE) as client:
        assert client.stdout
        worker, server = map(int, client.stdout.readline().split())
        os.kill(server, signal.SIGSTOP)
        try:
            os.kill(worker, signal.SIGKILL)
            assert client.stdout.read() == ""  # it is gone, and the server hears of both at once
            client.kill()
            client.wait()
        finally:
            os.kill(server, signal.SIGCONT)
    assert warm_python.run("-c", "print(1)").stdout == "1\n"

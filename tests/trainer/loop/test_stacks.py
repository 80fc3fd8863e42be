"""A trainer that stands still can still say where."""

import subprocess
import sys

CODE = """
import os, signal, threading
from trainer.job.stop import Stop
Stop().install()
def inner_of_a_thread(ready): ready.set(); threading.Event().wait()
ready = threading.Event()
threading.Thread(target=inner_of_a_thread, args=(ready,), daemon=True).start()
ready.wait()
def standing(): os.kill(os.getpid(), signal.SIGUSR2)
standing()
print('still here')
"""


def test_sigusr2_prints_every_threads_stack_and_ends_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout == "still here\n"
    assert "in standing" in done.stderr
    assert "in inner_of_a_thread" in done.stderr

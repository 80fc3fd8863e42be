"""What every host of the list says, as it comes: none waits for another, and nobody is asked anything."""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from remote.hosts.host import Host
from remote.protocol.errors import CallError, QuestionError
from tui.commands.output import say
from tui.commands.prompts import for_a_script

GRACE_S = 0.5  # so that a host that was not reached can still say why
SILENCE_S = 2.0  # before a line says for whom we wait
T = TypeVar("T")


def look_at_all(
    hosts: Sequence[Host], timeout: float, look: Callable[[Host], T]
) -> Iterator[tuple[Host, T | CallError]]:
    """Each host with what `look` makes of it, on a thread of its own, or with why that is unknown.

    A host that has a question says so in its error. What has not answered after `timeout` seconds is left
    alone.
    """
    replies: queue.SimpleQueue[tuple[Host, T | CallError]] = queue.SimpleQueue()

    def work(host: Host) -> None:
        try:
            replies.put((host, look(host)))
        except QuestionError as error:
            replies.put((host, for_a_script(error, f"photinus hosts test {host.name}")))
        except CallError as error:
            replies.put((host, error))
        except Exception as error:  # whatever it is, the other hosts are listed
            replies.put((host, CallError("internal", f"{type(error).__name__}: {error}")))

    for host in hosts:
        threading.Thread(target=work, args=(host,), name=f"photinus-look-{host.name}", daemon=True).start()
    began, patience = time.monotonic(), timeout + GRACE_S
    left, quiet_until = {host.name: host for host in hosts}, began + min(SILENCE_S, patience)
    while left:
        try:
            host, reply = replies.get(timeout=max(0.0, quiet_until - time.monotonic()))
        except queue.Empty:
            if quiet_until >= began + patience:
                break
            say(f"waiting for {', '.join(left)}, at most {patience - SILENCE_S:.0f} s more")
            quiet_until = began + patience
            continue
        del left[host.name]
        yield host, reply
    for host in left.values():
        yield host, CallError("unreachable", f"no answer in {timeout:g} s", "--timeout S waits longer")

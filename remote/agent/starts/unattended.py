"""One contact without a client, as at boot: adopt, mark, resume what asks for it, move the queue."""

import time
from collections.abc import Callable

from remote.agent.context import Context
from remote.agent.error_answers import as_call_error
from remote.agent.starts.contact import reconcile_all
from remote.agent.starts.restart import Restarts
from trainer.run.home import Home

PATIENCE_S = 900.0
STEP_S = 0.02
LOOK_S = 1.0


def contact(
    home: Home, say: Callable[[str], None], *, patience_s: float = PATIENCE_S, look_s: float = LOOK_S
) -> int:
    """Do what any contact does, and wait for the restarts that are due later; 1 if something went wrong.

    Args:
        say: told what was resumed and what went wrong, a sentence each.
        patience_s: seconds after which restarts that are not due yet are left to the next contact.
    """
    ctx = Context.of(home)
    restarts = Restarts(ctx)
    deadline = time.monotonic() + patience_s
    troubles: list[str] = []
    while True:
        ctx.index.look_now()
        troubles += [trouble for trouble in reconcile_all(ctx) if trouble not in troubles]
        for work in restarts.due():
            try:
                while True:
                    next(work)
                    time.sleep(STEP_S)
            except StopIteration as done:
                say(f"resumed {done.value.run_id}: {done.value.state}")
            except Exception as error:  # one run that cannot be resumed holds up no other
                troubles.append(f"not resumed: {as_call_error(error).message}")
        if not restarts.is_waiting or time.monotonic() > deadline:
            break
        time.sleep(look_s)
    ctx.index.close()
    for trouble in troubles:
        say(trouble)
    return 1 if troubles else 0

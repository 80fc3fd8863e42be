"""What a key or a command means, once: start, resume, stop, kill, wait; and the words that ask before."""

from remote.actions.describe import describe_kill, describe_resume, describe_start, describe_stop
from remote.actions.intents import settle_intents
from remote.actions.outcome import Outcome
from remote.actions.start import resume_run, start_run
from remote.actions.start_request import StartRequest, choose_device
from remote.actions.stop import kill_run, stop_run
from remote.actions.wait import wait_for

__all__ = [
    "Outcome",
    "StartRequest",
    "choose_device",
    "describe_kill",
    "describe_resume",
    "describe_start",
    "describe_stop",
    "kill_run",
    "resume_run",
    "settle_intents",
    "start_run",
    "stop_run",
    "wait_for",
]

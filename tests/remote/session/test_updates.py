"""What a host tells again by itself is bounded while nobody drains it."""

from collections import deque

from remote.session.updates import UPDATES_MAX, AgentTalk, Update, offer


def test_what_nobody_drains_is_bounded_and_goes_on_afterwards() -> None:
    waiting: deque[Update] = deque()
    for number in range(UPDATES_MAX + 50):
        offer(waiting, AgentTalk(str(number)))
    assert len(waiting) == UPDATES_MAX == 20_000
    waiting.popleft()
    offer(waiting, AgentTalk("again"))
    assert waiting[-1] == AgentTalk("again")

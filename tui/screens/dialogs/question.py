"""What a host asks before it is reached: a new key, a passphrase, a ProxyCommand; or a hard stop."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from remote.protocol.errors import Question
from tui.theme import DIM, PLAIN, STRONG, hue
from tui.widgets.lines import Part, line

ACCEPTED = "yes"


class QuestionDialog(ModalScreen[str | None]):
    """One question of one host, captured when the dialog opened; None where it is left unanswered.

    A key and a ProxyCommand are accepted with `a`; `enter` opened the dialog and so accepts nothing.
    What is typed as a passphrase is never shown, and is forgotten here as soon as it was handed on.
    """

    CSS: ClassVar[str] = """
    QuestionDialog { align: center middle; background: $background 60%; }
    QuestionDialog > Vertical {
        width: 86; max-width: 98%; height: auto; max-height: 96%; padding: 1 2;
        background: $surface; border: round $border;
    }
    QuestionDialog.stop > Vertical { border: round $error; }
    QuestionDialog Input { background: $panel; margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar = [
        Binding("a", "accept", show=False),
        Binding("escape", "leave", show=False),
    ]

    def __init__(self, host: str, question: Question | None, reason: str = "") -> None:
        """`question` None: the key has changed, and `reason` says how; nothing can be answered."""
        super().__init__(classes="" if question else "stop")
        self._question = question
        self._text = describe(question) if question else describe_changed(host, reason)

    @property
    def _secret(self) -> bool:
        return self._question is not None and self._question.kind == "passphrase"

    def compose(self) -> ComposeResult:
        """The question, its facts, and the ways on."""
        head, *facts = self._text.splitlines()
        style = STRONG if self._question else hue("red", bold=True)
        rows = [Text(head, style=style), Text(""), *(Text(fact, style=PLAIN) for fact in facts)]
        with Vertical():
            yield Static(Text("\n").join(rows), id="question")
            if self._secret:
                yield Input(password=True, id="secret", placeholder="passphrase", compact=True)
            yield Static(Text("\n") + self._ways(), id="ways")

    def _ways(self) -> Text:
        key = hue("blue", bold=True)
        leave: list[Part] = [("esc", key), (" leaves the host alone", DIM)]
        if self._question is None:
            return line(("esc", key), (" closes this", DIM))
        if self._secret:
            return line(("enter", key), (" uses it once, now   ", PLAIN), *leave)
        label = " runs it, now and later   " if self._question.kind == "proxy_command" else " accepts it   "
        return line(("a", key), (label, PLAIN), *leave)

    def on_mount(self) -> None:
        """Begin where one types."""
        if self._secret:
            self.query_one("#secret", Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The passphrase was typed."""
        typed = event.value
        event.input.clear()
        if typed:
            self.dismiss(typed)

    def action_accept(self) -> None:
        """Accept what is shown."""
        if self._question is not None and not self._secret:
            self.dismiss(ACCEPTED)

    def action_leave(self) -> None:
        """Nothing is stored, nothing is sent."""
        self.dismiss(None)


def describe(question: Question) -> str:
    """The words of a question."""
    if question.kind == "passphrase":
        return "\n".join(
            (
                f"{question.host} needs the passphrase of a private key.",
                f"key   {question.subject}",
                "",
                "It is used once and kept in memory only, until the cockpit is closed.",
            )
        )
    if question.kind == "proxy_command":
        return "\n".join(
            (
                f"Reach {question.host} through this command?",
                "",
                question.subject,
                "",
                "Your ssh configuration names it. It runs on this machine, as you.",
                f"SHA-256 {question.fingerprint}",
            )
        )
    through = "" if question.subject.split(":")[0] == question.host else f"   (on the way to {question.host})"
    return "\n".join(
        (
            f"First contact with {question.host}: is this its key?",
            f"shown by      {question.subject}{through}",
            f"type          {question.key_type}",
            f"fingerprint   {question.fingerprint}",
            "",
            "Compare it with what the machine itself says:",
            "  ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
            "Accepted, it is stored in Photinus' own known_hosts; yours is only read.",
        )
    )


def describe_changed(host: str, reason: str) -> str:
    """The words of a hard stop: both fingerprints, and what a person can do in a shell."""
    return "\n".join(
        (
            f"The key of {host} has CHANGED. Nothing was sent to it.",
            reason,
            "",
            "Somebody may be listening in, or the host was set up anew.",
            "Ask whoever runs it for the fingerprint of its key, over another way than this one.",
            "Only if it is the new one: delete the line that is named above in a shell, then press R.",
        )
    )

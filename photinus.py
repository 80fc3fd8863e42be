"""Where `photinus` and `photinus-train` begin: the one module of ours whose name nobody else has taken.

`trainer`, `remote` and `tui` are names that other people's packages use, too. In one environment the wheel
that is installed last overwrites the other's files in silence, and a folder that stands earlier on `sys.path`
hides ours. So before anything of ours is imported, it is looked at whose files these are; a stranger's are
named, with the way out.
"""

import gc
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path

PACKAGES = ("trainer", "remote", "tui")
USAGE = 2
COLLECT_EVERY = 10_000  # new objects: what is imported is no garbage, and it is hundreds of thousands
REMEDY = (
    "install Photinus where nothing else is: `pipx install photinus`, `uv tool install photinus`, "
    "or a venv of its own"
)


def main() -> int:
    """`photinus`."""
    return _begin("photinus", "tui.cli")


def train() -> int:
    """`photinus-train`."""
    return _begin("photinus-train", "trainer.cli")


def trouble(path: Sequence[str] | None = None, here: Path | None = None) -> str:
    """Whose files stand in the place of ours, in one sentence; empty where all is as it was installed.

    Args:
        path: where packages are looked for; `sys.path` if it is left out.
        here: the folder that ours were installed into; that of this file if it is left out.
    """
    root = (here or Path(__file__).parent).resolve()
    for name in PACKAGES:
        spec = PathFinder.find_spec(name, path)
        found = Path(spec.origin).resolve().parent if spec and spec.origin else None
        if found is None:
            return f"our package `{name}` is not whole any more in {root}{_rivals(name)}"
        if found != root / name:
            return f"{found} hides our package `{name}`, which lies in {root}{_rivals(name)}"
    for path_ in _overwritten(root):
        name = path_.split("/")[0]
        return f"another package overwrote our {path_} in {root}{_rivals(name)}"
    return ""


def _overwritten(root: Path) -> Iterator[str]:
    """Files of ours that are not as long as our own list of them says; none where that list is not there."""
    for record in root.glob("photinus-*.dist-info/RECORD"):
        for row in record.read_text("utf-8").splitlines():
            path, _, rest = row.partition(",")
            size = rest.rpartition(",")[2]
            if size.isdigit() and path.split("/")[0] in PACKAGES:
                file = root / path
                if not file.is_file() or file.stat().st_size != int(size):
                    yield path


def _rivals(name: str) -> str:
    """Which other distributions brought a package of that name, as far as their own lists tell."""
    from importlib.metadata import packages_distributions

    others = sorted(set(packages_distributions().get(name, ())) - {"photinus"})
    return f" (`{name}` comes from {', '.join(others)}, too)" if others else ""


def _begin(program: str, module: str) -> int:
    said = trouble()
    if said:
        sys.stderr.write(f"{program}: {said}\n  try: {REMEDY}\n")
        return USAGE
    gc.set_threshold(COLLECT_EVERY)
    code: int = import_module(module).main()
    gc.freeze()  # what is left is not looked through once more
    return code


if __name__ == "__main__":
    sys.exit(main())

"""An environment that is built under one name and used under another: its scripts name its interpreter."""

from pathlib import Path

TEXT_MAX = 1 << 20


def repair_scripts(old_name: Path, new_name: Path, folder: Path) -> None:
    """Write `new_name` in place of `old_name` into the text files of `folder`'s bin and its pyvenv.cfg.

    Nothing else of an environment knows its own path: Python finds it by the pyvenv.cfg beside its program.
    """
    old, new = old_name.name.encode(), new_name.name.encode()  # of one folder; prompts show the name alone
    for path in [folder / "pyvenv.cfg", *(folder / "bin").iterdir()]:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > TEXT_MAX:
            continue
        data = path.read_bytes()
        if old in data and b"\0" not in data:
            path.write_bytes(data.replace(old, new))


def write_script(path: Path, python: Path, module: str, function: str) -> None:
    """A console script, as an installer writes it."""
    path.write_text(f"#!{python}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n")
    path.chmod(0o755)

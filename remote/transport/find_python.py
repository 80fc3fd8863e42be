"""A command line that gives a program to any Python 3 of a host: a constant that every login shell takes."""

NO_PYTHON = b"photinus-no-python"


def find_python(run: str) -> str:
    """The command; `run`: what is done with the Python `$q`. No `'`, `!`, newline: tcsh and fish read it."""
    return (
        "exec /bin/sh -c '"
        'if [ "$(uname -s)" = Darwin ]; then xcode-select -p >/dev/null 2>&1 || stub=/usr/bin/python3; fi; '
        "for p in python3 /opt/homebrew/bin/python3 /usr/local/bin/python3 /usr/bin/python3 "
        "python3.14 python3.13 python3.12 python3.11 "
        '"$HOME"/.local/bin/python3* "$HOME"/.local/share/uv/python/*/bin/python3 '
        '"$HOME"/.pyenv/shims/python3 "$HOME"/miniconda3/bin/python3 "$HOME"/anaconda3/bin/python3 '
        '"$HOME"/miniforge3/bin/python3 '
        "/opt/conda/bin/python3; do "
        'q=$(command -v "$p" 2>/dev/null) || continue; '
        'if [ "$q" = "$stub" ]; then continue; fi; '
        f'if "$q" -I -c "import json" >/dev/null 2>&1 </dev/null; then {run}; fi; done; '
        f"echo {NO_PYTHON.decode()}; exit 127'"
    )

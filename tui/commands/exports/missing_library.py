"""A library that an export needs and the base install does not bring."""

from remote.protocol.errors import CallError


def needs(what: str, extra: str, error: ImportError) -> CallError:
    """Why a format cannot be written here, and what brings it."""
    return CallError(
        "refused",
        f"{what} is not installed here ({error.name or error})",
        f"pip install 'photinus[{extra}]', or --to csv, jsonl, html or svg, which need nothing",
    )

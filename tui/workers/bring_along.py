"""What goes to a host before a start: the code of a folder here, and a text that lies here."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from remote.transfer.trees.data_files import data_of, is_here, path_here, send_data
from remote.transfer.trees.shipment import code_of, ship_code

if TYPE_CHECKING:
    from remote.actions import StartRequest
    from remote.session.session import Session


def bring_along(session: "Session", request: "StartRequest") -> "StartRequest":
    """The request as the host can carry it out.

    Raises:
        CallError: it cannot go along; nothing was started.
    """
    if request.ship:
        code = code_of(Path(request.ship))
        ship_code(session, code)
        request = replace(request, code=code.about, ship="")
    data = request.config.get("data")
    source = data.get("source") if isinstance(data, dict) else None
    if isinstance(data, dict) and isinstance(source, str) and is_here(source):
        path = path_here(source)
        there = str(path) if session.host.is_local else send_data(session, data_of(path))[0]
        request = replace(request, config={**request.config, "data": {**data, "source": there}})
    return request

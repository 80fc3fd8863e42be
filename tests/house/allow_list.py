"""A contract of import-linter: each room names what it may import, and whatever it does not name is refused.

import-linter's own contracts list what is forbidden, or who may import one module. This one answers what a
newcomer asks: what may I use in here? A room is a package or a module; the longest name that fits is a
module's room. Python's standard library needs no line.
"""

import sys
from collections.abc import Iterator, Mapping

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class AllowListContract(Contract):
    """`rooms`: a line each, `room -> room, module, package`."""

    type_name = "allow_list"

    rooms = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at every import of every module."""
        faults = sorted(set(faults_of(graph, rooms_of(list(self.rooms)))))  # type: ignore[call-overload]
        return ContractCheck(kept=not faults, metadata={"faults": faults})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Say what stands in no line."""
        for fault in check.metadata["faults"]:
            output.print_error(fault, bold=False)
            output.new_line()


def rooms_of(lines: list[str]) -> dict[str, frozenset[str]]:
    """The lines, parsed.

    Raises:
        ValueError: a line is none, or a room has two.
    """
    rooms: dict[str, frozenset[str]] = {}
    for line in lines:
        room, arrow, allowed = line.partition("->")
        if not arrow or room.strip() in rooms:
            raise ValueError(f"not one line a room: {line!r}")
        rooms[room.strip()] = frozenset(name.strip() for name in allowed.split(",") if name.strip())
    return rooms


def faults_of(graph: ImportGraph, rooms: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """A sentence for each import that no line allows, and for each module without a room."""
    modules = {name for name in graph.modules if not graph.is_module_squashed(name)}
    for name in rooms:
        if name not in modules:
            yield f"there is no room {name}"
    for module in sorted(modules):
        room = room_of(module, rooms)
        if room is None:
            if graph.find_modules_directly_imported_by(module):
                yield f"{module} is in no room"
            continue
        for imported in graph.find_modules_directly_imported_by(module):
            if not _may(room, imported, rooms):
                lines = {
                    str(one["line_number"])
                    for one in graph.get_import_details(importer=module, imported=imported)
                }
                yield f"{room} may not import {imported}: {module}, line {', '.join(sorted(lines))}"


def room_of(module: str, rooms: Mapping[str, frozenset[str]]) -> str | None:
    """The longest room that holds a module."""
    parts = module.split(".")
    names = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((name for name in names if name in rooms), None)


def _may(room: str, imported: str, rooms: Mapping[str, frozenset[str]]) -> bool:
    own = room_of(imported, rooms) or imported.split(".")[0]
    if own == room or own in rooms[room] or own in sys.stdlib_module_names:
        return True
    return any(f"{imported}.".startswith(f"{one}.") for one in rooms[room] if one.startswith(f"{own}."))

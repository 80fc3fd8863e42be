"""`modeling.py` of an export: what a model needs of our own modules, as one file that imports torch alone.

Definitions are taken over as they stand, in the order in which Python would meet them; what the model does
not reach is left out, and a name that two modules use gets its module's in front. Nothing of it runs on
import but definitions.
"""

import ast
import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import get_type_hints

from trainer.config.model import ModelConfig

OURS = "trainer."
ROOT = "trainer.export.standalone"
CONFIG = ("trainer.config.model", "ModelConfig")
ROOTS = ("load", "continue_text")
STAND_INS = ("OwnModel", "OwnTokenizer")
UNKNOWN_OUTSIDE = frozenset({"to_json", "from_json"})
"""Methods that need packages which are not there; the file form of a tokenizer is read by `load`."""
HEAD = '''"""{title}

Made by Photinus {version} from its own modules; Apache-2.0. It needs torch, and safetensors to load weights:

    model, tokenizer = load(".")
    print(continue_text(model, tokenizer, "The ").decode("utf-8", "replace"))
"""
'''
Symbol = tuple[str, str]


@dataclass(slots=True)
class OwnModule:
    """A module of ours: its definitions by name, and what its other names mean.

    Attributes:
        symbols: names that stand for a definition of another module of ours.
        modules: names that stand for a module of ours.
        outside: names of other packages, each with the statement that brings it.
    """

    name: str
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    symbols: dict[str, Symbol] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    outside: dict[str, ast.stmt] = field(default_factory=dict)


def single_file(model: type, tokenizer: type, title: str, version: str) -> str:
    """Return the source of `modeling.py`.

    Args:
        model, tokenizer: classes of ours.
        title: its first line.
    """
    return HEAD.format(title=title, version=version) + "\n" + _definitions(model, tokenizer) + "\n"


@cache
def _definitions(model: type, tokenizer: type) -> str:
    own = dict(zip(STAND_INS, ((one.__module__, one.__name__) for one in (model, tokenizer)), strict=True))
    modules = _modules_from(ROOT, own)
    needed = _reached(modules)
    names = _flat_names(needed)
    body: list[ast.stmt] = []
    outside: dict[str, ast.stmt] = {}
    for name, module in modules.items():
        renamer = _Renamer(module, names)
        taken = {id(nodes): nodes for one, nodes in module.definitions.items() if (name, one) in needed}
        for nodes in taken.values():
            body += [renamer.visit(node) for node in nodes]
            for alias in _names_in(nodes) & module.outside.keys():
                outside[ast.unparse(module.outside[alias])] = module.outside[alias]
    imports = [ast.parse(line).body[0] for line in sorted(outside, key=_import_order)]
    tree = ast.Module([*imports, *body], [])
    return _spaced(ast.fix_missing_locations(tree))


def _modules_from(root: str, own: dict[str, Symbol]) -> dict[str, OwnModule]:
    """Read modules, each after those that it imports."""
    found: dict[str, OwnModule] = {}

    def read(name: str) -> None:
        if name in found or name in waiting:
            return
        waiting.add(name)
        module = _read(name, own if name == root else {})
        for needed in (*(place for place, _ in module.symbols.values()), *module.modules.values()):
            read(needed)
        found[name] = module

    waiting: set[str] = set()
    read(root)
    return found


def _read(name: str, own: dict[str, Symbol]) -> OwnModule:
    module = OwnModule(name)
    if name == CONFIG[0]:
        module.definitions[CONFIG[1]] = _plain_config()
        module.outside["dataclass"] = ast.parse("from dataclasses import dataclass").body[0]
        return module
    tree = ast.parse(_source_of(name))
    last: list[ast.stmt] = []
    for node in _Pruned().visit(tree).body[1:]:  # the first is the docstring
        if isinstance(node, ast.Import | ast.ImportFrom):
            _note_import(module, node, own)
        elif isinstance(node, ast.Expr):
            last.append(node)  # what is said of the constant before it
        else:
            last = [node]
            module.definitions |= dict.fromkeys(_defined_by(node), last)
    return module


def _source_of(name: str) -> str:
    """The source of one of our modules, from where it was loaded."""
    path = importlib.import_module(name).__file__
    if path is None:
        raise RuntimeError(f"{name} has no file; install photinus again")
    return Path(path).read_text(encoding="utf-8")


def _note_import(module: OwnModule, node: ast.Import | ast.ImportFrom, own: dict[str, Symbol]) -> None:
    for alias in node.names:
        name = alias.asname or alias.name.partition(".")[0]
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(OURS):
            inner = f"{node.module}.{alias.name}"
            if name == "native" or (".native." in inner and not inner.endswith(".rows.halves")):
                continue  # kernels are used where they were switched on, which nobody does there
            if _is_module(inner):
                module.modules[name] = inner
            else:
                module.symbols[name] = own.get(name, (str(node.module), alias.name))
        elif isinstance(node, ast.ImportFrom):
            module.outside[name] = ast.ImportFrom(node.module, [alias], 0)
        else:
            module.outside[name] = ast.Import([alias])


def _is_module(name: str) -> bool:
    return importlib.util.find_spec(name.rpartition(".")[0]) is not None and _has_spec(name)


def _has_spec(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is a module, not a package
        return False


def _plain_config() -> list[ast.stmt]:
    """`ModelConfig` without msgspec: the same fields and defaults, in a dataclass."""
    defaults = ModelConfig()
    hints = get_type_hints(ModelConfig)
    lines = ["@dataclass(frozen=True)", "class ModelConfig:", '    """What a model is made of."""', ""]
    for name in ModelConfig.__struct_fields__:
        value = getattr(defaults, name)
        kind = type(value).__name__ if hints[name] is not float else "float"
        lines.append(f"    {name}: {kind} = {value!r}")
    tree = ast.parse("\n".join(lines))
    source = ast.parse(_source_of(CONFIG[0]))
    [original] = [node for node in source.body if isinstance(node, ast.ClassDef) and node.name == CONFIG[1]]
    made = tree.body[0]
    assert isinstance(made, ast.ClassDef)
    made.body += [
        node
        for node in original.body
        if isinstance(node, ast.FunctionDef)
        and any(ast.unparse(one) == "property" for one in node.decorator_list)
    ]
    return tree.body


class _Pruned(ast.NodeTransformer):
    """Leaves out what cannot be there: kernels, and methods of other packages."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        is_native = ast.unparse(node.test).startswith("native.serves(")
        return None if is_native else self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST | None:
        return None if node.name in UNKNOWN_OUTSIDE else self.generic_visit(node)


def _defined_by(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.Assign(targets=targets):
            return [inner.id for one in targets for inner in ast.walk(one) if isinstance(inner, ast.Name)]
    return []


def _names_in(nodes: list[ast.stmt]) -> set[str]:
    return {one.id for node in nodes for one in ast.walk(node) if isinstance(one, ast.Name)}


def _uses(module: OwnModule, nodes: list[ast.stmt]) -> Iterator[Symbol]:
    """What of ours these definitions name."""
    for node in nodes:
        for one in ast.walk(node):
            if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name):
                if place := module.modules.get(one.value.id):
                    yield place, one.attr
            elif isinstance(one, ast.Name) and one.id in module.symbols:
                yield module.symbols[one.id]
            elif isinstance(one, ast.Name) and one.id in module.definitions:
                yield module.name, one.id


def _reached(modules: dict[str, OwnModule]) -> set[Symbol]:
    waiting, found = [(ROOT, name) for name in ROOTS], set[Symbol]()
    while waiting:
        place, name = waiting.pop()
        module = modules[place]
        if (place, name) in found:
            continue
        if name not in module.definitions:  # handed on by a package
            waiting.append(module.symbols[name])
            continue
        nodes = module.definitions[name]
        found |= {(place, one) for one, same in module.definitions.items() if same is nodes}
        waiting += _uses(module, nodes)
    return found


def _flat_names(needed: set[Symbol]) -> dict[Symbol, str]:
    """A name a symbol; one that two modules use gets its module's in front."""
    often: dict[str, int] = {}
    for _, name in needed:
        often[name] = often.get(name, 0) + 1
    return {
        (place, name): name if often[name] == 1 else f"{place.rpartition('.')[2]}_{name.lstrip('_')}"
        for place, name in needed
    }


class _Renamer(ast.NodeTransformer):
    """Gives each name of ours the one that it has in the single file."""

    def __init__(self, module: OwnModule, names: dict[Symbol, str]) -> None:
        self._module = module
        self._names = names
        self._local: set[str] = set()
        self._is_inside = False

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and (place := self._module.modules.get(node.value.id)):
            return ast.copy_location(ast.Name(self._names[(place, node.attr)], node.ctx), node)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self._local:
            return node
        symbol = self._module.symbols.get(node.id, (self._module.name, node.id))
        return ast.copy_location(ast.Name(self._names.get(symbol, node.id), node.ctx), node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._inside(node, set())

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._inside(node, _bound_in(node))

    def _inside(self, node: ast.ClassDef | ast.FunctionDef, bound: set[str]) -> ast.AST:
        if not self._is_inside:
            node.name = self._names.get((self._module.name, node.name), node.name)
        before = self._local, self._is_inside
        self._local, self._is_inside = self._local | bound, True
        out = self.generic_visit(node)
        self._local, self._is_inside = before
        return out


def _bound_in(node: ast.FunctionDef) -> set[str]:
    """Names that a function binds itself."""
    arguments = node.args
    given = [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]
    stored = {
        one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    return stored | {one.arg for one in given if one is not None}


def _import_order(line: str) -> tuple[bool, str]:
    return "torch" in line, line


def _spaced(tree: ast.Module) -> str:
    """Source with two blank lines around what is no constant."""
    out: list[str] = []
    for node in tree.body:
        text = ast.unparse(node)
        is_block = isinstance(node, ast.FunctionDef | ast.ClassDef)
        out.append(f"\n\n{text}\n" if is_block else text)
    return "\n".join(out).replace("\n\n\n\n", "\n\n\n")

"""`python -I -m remote.deploy.on_host.import_check [--train]`: import all that a host uses."""

import argparse
import importlib
import pkgutil
import sys

AGENT = ("trainer.config", "trainer.run", "trainer.telemetry", "remote.agent", "remote.supervisor")
SPARED = ("remote.deploy.on_host.probe", "trainer.models.native.gpu.")  # for Python 3.6; where Triton is


def names_of(*packages: str) -> list[str]:
    """Every module below `packages`, the packages first."""
    names = []
    for package in packages:
        root = importlib.import_module(package)
        names.append(package)
        names += [info.name for info in pkgutil.walk_packages(root.__path__, f"{package}.")]
    return [name for name in names if not name.startswith(SPARED)]


def main() -> int:
    """Import them; 1 and the reason on the last line where one cannot be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", action="store_true", help="what trains too")
    wanted = (*AGENT, "trainer") if parser.parse_args().train else AGENT
    try:
        names = names_of(*wanted)
        for name in names:
            if not name.endswith(".__main__"):
                importlib.import_module(name)
    except Exception as error:
        print(f"an import failed: {type(error).__name__}: {error}")
        return 1
    print(f"{len(names)} modules imported, Python {'.'.join(map(str, sys.version_info[:3]))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

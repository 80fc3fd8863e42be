"""One name a thing: what keeps the map readable."""

from collections import Counter, defaultdict

import pytest

from tests.house.tree import PACKAGES, ROOT, modules, public_classes

PAIRS = {
    "trainer": {
        "gated": "a model and its kernel",
        "order": "order parameters and their kernel",
        "recall": "a source of text and its evaluation",
        "selftest": "a check of the device alone, and the command that trains on it",
        "v1": "a published model and its reproduction",
        "v2": "a published model and its reproduction",
        "v3": "a published model and its reproduction",
    },
    "remote": {
        "checkpoints": "a verb and its check-up",
        "machine": "readings of a machine and its check-up",
        "processes": "a verb and its check-up",
        "queue": "the queue and its check-up",
        "start": "an action of the client and its verb on the host",
        "stop": "an action of the client and its verb on the host",
    },
    "tui": {
        "hosts": "what is known of hosts and their screen",
        "start": "a command and its form",
    },
}
"""File names that stand twice in a package, and as what."""

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
MOST = 15


@pytest.mark.parametrize("package", PACKAGES)
def test_a_file_name_stands_once_or_as_a_listed_pair(package: str) -> None:
    count = Counter(path.stem for path in modules(package))
    assert {name: n for name, n in count.items() if n > 2} == {}
    assert {name for name, n in count.items() if n == 2} == set(PAIRS[package])


def test_every_public_class_has_a_name_of_its_own() -> None:
    where = defaultdict(list)
    for package in PACKAGES:
        for path in modules(package):
            for name in public_classes(path):
                where[name].append(str(path))
    assert len(where) > 300
    assert {name: paths for name, paths in where.items() if len(paths) > 1} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folder_is_a_pile_and_no_name_says_nothing(package: str) -> None:
    folders = Counter(path.parent for path in modules(package))
    assert {str(folder): n for folder, n in folders.items() if n > MOST} == {}
    assert [str(path) for path in modules(package) if path.stem in VAGUE] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_source_file_is_longer_than_it_may_be(package: str) -> None:
    most = 300 if package == "tui" else 400
    lines = {
        str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules(package)
    }
    assert {path: n for path, n in lines.items() if n > most} == {}

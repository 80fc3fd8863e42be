"""What a rerun reports: claims, each with what was published, is predicted and came out, and a verdict."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

VERDICTS = {True: "holds", False: "FAILS", None: "-----"}


@dataclass(frozen=True)
class Claim:
    """One sentence that a rerun puts to the test.

    Attributes:
        statement: what must be so.
        published, predicted, ours: values in words, with their n or interval; "-" where there is none.
        holds: the verdict; None where nothing is judged, as under `--quick`.
        numbers: the same for programs.
    """

    statement: str
    published: str
    predicted: str
    ours: str
    holds: bool | None
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Numbers behind a claim; `rows` are as wide as `header`."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class ReproductionReport:
    """What `photinus-train reproduce NAME` found.

    Attributes:
        setup: how the rerun differs from what was published, a line each.
        quick: the run was too short to prove anything.
    """

    name: str
    title: str
    setup: Sequence[str]
    claims: Sequence[Claim]
    tables: Sequence[Table] = ()
    quick: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain values; a number that is not finite becomes None."""
        plain = asdict(self)
        for claim in plain["claims"]:
            claim["numbers"] = {
                name: value if math.isfinite(value) else None for name, value in claim["numbers"].items()
            }
        return plain


def without_verdicts(report: ReproductionReport) -> ReproductionReport:
    """Return what a run says that was too short to judge anything."""
    return replace(report, quick=True, claims=[replace(claim, holds=None) for claim in report.claims])


def lines(report: ReproductionReport) -> list[str]:
    """The report for people."""
    out = [f"{report.name}: {report.title}", *(f"  {line}" for line in report.setup), ""]
    for claim in report.claims:
        out.append(f"[{VERDICTS[claim.holds]}] {claim.statement}")
        figures = (("published", claim.published), ("predicted", claim.predicted), ("ours", claim.ours))
        out += [f"        {name:9}  {text}" for name, text in figures if text != "-"]
    for table in report.tables:
        out += ["", table.title, *_laid_out(table)]
    if report.quick:
        out += ["", "This was --quick: it shows that the command works, and proves nothing."]
    return out


def _laid_out(table: Table) -> list[str]:
    cells = [tuple(table.header), *(tuple(row) for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells
    ]

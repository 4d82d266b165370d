"""Which detectors there are: found by file name in the family folders, and by the entry point group `toolhound.detectors`."""

import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from detectors.contract import Detector
from store.errors import DetectorError

FAMILIES = ("rules", "sequences", "baselines", "integrity")
SECTIONS = ("What it detects", "Why it matters", "False positives", "Blind spots")


@dataclass(frozen=True, slots=True)
class Registered:
    """A detector with the name, family and page that its file gives it."""

    name: str
    family: str
    detector: Detector
    title: str
    sections: dict[str, str]


@cache
def detectors() -> dict[str, Registered]:
    """All detectors by name, sorted. Raises DetectorError where a file is malformed or a name is taken twice."""
    found: dict[str, Registered] = {}
    for family, module in _modules():
        one = registered(module, family)
        if one.name in found:
            raise DetectorError(f"two detectors are called {one.name}: {module.__name__} and one in {found[one.name].family}/")
        found[one.name] = one
    taken = {former: one.name for one in found.values() for former in one.detector.formerly}
    for former in taken.keys() & found.keys():
        raise DetectorError(f"{taken[former]} says that it was formerly {former}, but a detector of that name exists")
    return dict(sorted(found.items()))


def _modules() -> Iterator[tuple[str, ModuleType]]:
    here = Path(__file__).parent
    for family in FAMILIES:
        for path in sorted((here / family).glob("*.py")):
            if path.stem != "__init__":
                yield family, importlib.import_module(f"detectors.{family}.{path.stem}")
    for point in sorted(entry_points(group="toolhound.detectors"), key=lambda p: p.name):
        yield "third party", importlib.import_module(point.module)


def registered(module: ModuleType, family: str) -> Registered:
    """A module as a detector, its docstring read."""
    name = module.__name__.rpartition(".")[2]
    detector = getattr(module, "DETECTOR", None)
    if not isinstance(detector, Detector):
        raise DetectorError(f"{module.__name__} holds no DETECTOR")
    title, sections = page(inspect.getdoc(module) or "")
    missing = [s for s in SECTIONS if not sections.get(s)]
    if not title or missing:
        raise DetectorError(f"{module.__name__}: its docstring lacks {', '.join(missing) or 'a title'}")
    return Registered(name, family, detector, title, sections)


def page(docstring: str) -> tuple[str, dict[str, str]]:
    """Title and sections of a detector's docstring: each section is a line that holds its name, then text."""
    title, _, body = docstring.partition("\n")
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in body.splitlines():
        if line.strip().rstrip(":") in SECTIONS:
            current = sections.setdefault(line.strip().rstrip(":"), [])
        else:
            current.append(line)
    return title.strip().rstrip("."), {k: "\n".join(v).strip() for k, v in sections.items()}



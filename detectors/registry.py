"""Which detectors there are: found by file name in the family folders, and by the entry point group `toolhound.detectors`."""

import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from detectors.contract import PAYLOADS, Detector
from store.errors import DetectorError
from store.tables import SEEN

FAMILIES = ("rules", "sequences", "baselines", "integrity")
GROUP = "toolhound.detectors"
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
            raise DetectorError(f"two detectors are called {one.name}: {module.__name__} and one of the {found[one.name].family}; rename one")
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
                yield family, _imported(f"detectors.{family}.{path.stem}")
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        yield "third party", _imported(point.module, f", which the entry point {point.name} of {point.dist.name if point.dist else GROUP} names,")


def _imported(module: str, named: str = "") -> ModuleType:
    try:
        return importlib.import_module(module)
    except Exception as error:
        raise DetectorError(f"{module}{named} cannot be imported: {type(error).__name__}: {error}; mend it, or take it away") from error


def registered(module: ModuleType, family: str) -> Registered:
    """A module as a detector, its docstring read. Raises DetectorError where it is malformed."""
    name = module.__name__.rpartition(".")[2]
    detector = getattr(module, "DETECTOR", None)
    if not isinstance(detector, Detector):
        raise DetectorError(f"{module.__name__} holds no DETECTOR; each detector is a module of its own, which an entry point must name")
    title, sections = page(inspect.getdoc(module) or "")
    missing = [s for s in SECTIONS if not sections.get(s)]
    if not title or missing:
        raise DetectorError(f"{module.__name__}: its docstring lacks {', '.join(missing) or 'a title'}; each section is a line with its name, then text")
    for what in malformed(detector):
        raise DetectorError(f"{module.__name__}: {what}")
    return Registered(name, family, detector, title, sections)


def malformed(detector: Detector) -> Iterator[str]:
    """What a detector says of itself that cannot be meant so."""
    for what, known in (("techniques", None), ("needs", SEEN), ("payloads", tuple(PAYLOADS))):
        said = getattr(detector, what)
        if isinstance(said, str):
            yield f"{what} is the text {said!r}; a tuple of one has a comma: ({said!r},)"
        elif unknown := [one for one in said if known and one not in known]:
            yield f"{what} names {', '.join(unknown)}; it may name {', '.join(known or ())}"
    if not detector.learn:
        if "normal" in detector.needs:
            yield "needs names normal, but without learn that is always empty, and find would never be asked"
        for what in ("learn_by", "learn_at_once", "learn_attacks"):
            if getattr(detector, what):
                yield f"{what} says how it learns, but learn is missing"


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



"""Workplaces that do not resemble one another, with honest work and attacks: the harder set that designs are judged on."""

from benchmarks.workplaces import held_out, tuning
from benchmarks.workplaces.place import Place

PLACES: tuple[Place, ...] = (*tuning.PLACES, *held_out.PLACES)

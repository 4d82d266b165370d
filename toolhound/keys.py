"""The key of an encrypted workspace: where settings say it is, and whether it is the right one.

`workspace.seal` is made with an encrypted workspace and tells it from others; it holds a sealed word, which only the same key opens.
"""

import os
from pathlib import Path

from store.direct import write_durably
from store.errors import DamagedError, SettingsError
from store.seal import Seal
from store.spool import sync_folder
from toolhound.settings import DATABASE_FILE, Keep

MARK = "workspace.seal"
WORD = b"toolhound"
NAMES = "keep.key_file, keep.key_variable"


def seal_of(folder: Path, keep: Keep) -> Seal | None:
    """What encrypts a workspace, None where nothing does; a new workspace is marked.

    Raises SettingsError where there is no key, no good one, a wrong one, or one for a workspace that is not encrypted.
    """
    mark, seal = folder / MARK, _given(keep)
    if not mark.exists():
        if seal and (folder / DATABASE_FILE).exists():
            raise SettingsError(f"{NAMES}: {folder} was begun without a key; a key is for a new workspace")
        if seal:
            write_durably(mark, seal.close(WORD))
            sync_folder(folder)
        return seal
    if seal is None:
        raise SettingsError(f"{NAMES}: {folder} is encrypted; set one of them to its key")
    try:
        seal.open(mark.read_bytes())
    except DamagedError as error:
        raise SettingsError(f"{NAMES}: {folder} was encrypted with another key") from error
    return seal


def _given(keep: Keep) -> Seal | None:
    if keep.key_file and keep.key_variable:
        raise SettingsError(f"{NAMES}: set one of them, not both")
    name = "keep.key_file" if keep.key_file else "keep.key_variable"
    try:
        if keep.key_file:
            return Seal.of(keep.key_file.read_text(encoding="ascii"))
        return Seal.of(os.environ[keep.key_variable]) if keep.key_variable else None
    except KeyError as error:
        raise SettingsError(f"{name}: the environment has no {keep.key_variable}") from error
    except OSError as error:
        raise SettingsError(f"{name}: {keep.key_file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{name}: {keep.key_file} is not text; a key is 64 hexadecimal digits, or base64 of 32 bytes") from error
    except SettingsError as error:
        raise SettingsError(f"{name}: {error}") from error

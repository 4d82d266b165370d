"""The error tree.

    ToolhoundError            every error that Toolhound raises on purpose
    ├── SourceError           what was sent or read cannot be understood (names the place: file, line, span)
    │   ├── TooLargeError     ... because it is larger than the setting allows
    │   ├── NotFoundError     ... because what it names does not exist
    │   └── ConflictError     ... because what it changes was changed by somebody else
    ├── StoreError            the workspace cannot be read or written
    │   ├── BusyError         ... because another process holds it
    │   ├── SettlingError     ... because what would change is on its way into the lake; trying again when it is there helps
    │   ├── DiskError         ... because the disk is full or failing; trying again later can help
    │   └── DamagedError      ... because what was stored is damaged; trying again does not help
    ├── DetectorError         a detector is malformed or failed
    ├── SettingsError         a setting is unknown or has a value it cannot have
    └── DeliveryError         an alert could not be handed to its destination

Every message says what was met, where, and what to do about it.
"""


class ToolhoundError(Exception):
    """Any error that Toolhound raises on purpose."""


class SourceError(ToolhoundError):
    """Input that cannot be understood."""


class TooLargeError(SourceError):
    """Input larger than the setting allows."""


class NotFoundError(SourceError):
    """Input that names something that does not exist."""


class ConflictError(SourceError):
    """Input that would undo what somebody else did in the meantime."""


class StoreError(ToolhoundError):
    """A workspace that cannot be read or written."""


class BusyError(StoreError):
    """A workspace that another process holds."""


class SettlingError(StoreError):
    """A change to calls that are being written into the lake."""


class DiskError(StoreError):
    """A disk that is full or failing: what was sent is not stored, sending it again later can help."""


class DamagedError(StoreError):
    """Something stored that is damaged, or that no version of ours can have written."""


class DetectorError(ToolhoundError):
    """A detector that is malformed or failed."""


class SettingsError(ToolhoundError):
    """A setting that is unknown or has a value it cannot have."""


class DeliveryError(ToolhoundError):
    """An alert that could not be handed to its destination."""

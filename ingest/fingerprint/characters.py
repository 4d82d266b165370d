"""What each byte may be part of: one table of flags, and the values of digits."""

from typing import Final

import numpy as np

_WORD: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
WORD: Final = 1
DASHED: Final = 2  # of a word with dashes
LOCAL: Final = 4  # of what stands before "@" in an address, before "://" in a link
SEGMENT: Final = 8  # of a file's name
END: Final = 16  # ends a token
DIGIT: Final = 32
FOLDER: Final = 64  # of a file's name in Windows
HOT: Final = 128  # every name has one; most words have none
_MEMBERS: Final = {
    WORD: _WORD,
    DASHED: _WORD + b"-",
    LOCAL: _WORD + b"-.%+",
    SEGMENT: _WORD + b"-.@%+~" + bytes(range(128, 256)),
    END: bytes(range(33)) + b"\"'`<>(){}[]|,;\\*",
    DIGIT: b"0123456789",
    FOLDER: _WORD + b"-.~$@+",
    HOT: b"0123456789.:/@#+[",
}
CLASS: Final = np.array([sum(flag for flag, members in _MEMBERS.items() if byte in members) for byte in range(256)], dtype=np.uint8)

GOES_ON: Final = np.zeros((256, 256), dtype=np.bool_)
"""Whether a name that has the first byte may go on with the second."""
for _byte, _members in {
    b".": LOCAL, b"+": LOCAL, b"/": SEGMENT, b"@": DASHED, b"#": DASHED, b"[": DASHED, b":": DASHED,
}.items():
    GOES_ON[_byte[0]] = CLASS & _members != 0
GOES_ON[list(b".+"), ord("@")] = GOES_ON[ord(":"), list(b"/:")] = True
GOES_ON[list(b"0123456789")] = True

HEX: Final = np.full(256, -1, dtype=np.int8)
"""The value of a hex digit, -1 of another byte."""
HEX[list(b"0123456789abcdef")] = range(16)
HEX[list(b"ABCDEF")] = range(10, 16)

SEXTET: Final = np.full(256, -1, dtype=np.int8)
"""The value of a digit of base64, of either alphabet."""
SEXTET[list(_WORD.rstrip(b"_") + b"+/-_")] = [*range(62), 62, 63, 62, 63]

PRINTABLE: Final = np.array([9 <= byte <= 13 or 32 <= byte <= 126 for byte in range(256)])
"""ASCII that texts are written in."""

IN_TEXT: Final = np.array([bool(printable) or byte == 0 or 0x80 <= byte < 0xC0 or 0xC2 <= byte < 0xF5 for byte, printable in enumerate(PRINTABLE)])
"""Bytes that occur in such texts in UTF-8 or UTF-16 at all."""

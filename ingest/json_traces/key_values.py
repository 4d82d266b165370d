"""Text lines of `key=value` pairs, as logfmt and gateways write them."""


def key_values(line: str) -> dict[str, str]:
    """The pairs of a line; a value may stand in double quotes, with a backslash before a quote inside it. Other words are passed over."""
    pairs: dict[str, str] = {}
    place, end = 0, len(line)
    while place < end:
        blank = line.find(" ", place)
        blank = end if blank < 0 else blank
        equals = line.find("=", place, blank)
        if equals <= place:
            place = blank + 1
            continue
        key = line[place:equals]
        if line[equals + 1:equals + 2] == '"':
            value, place = _quoted(line, equals + 2)
        else:
            value, place = line[equals + 1:blank], blank + 1
        pairs.setdefault(key, value)
    return pairs


def _quoted(line: str, start: int) -> tuple[str, int]:
    made, place = [], start
    while place < len(line) and line[place] != '"':
        if line[place] == "\\" and place + 1 < len(line):
            place += 1
        made.append(line[place])
        place += 1
    return "".join(made), place + 1

"""``hash`` of mod_hash: values by realm and key, and the one atomic deed that a lease is made of."""

from __future__ import annotations

USAGE = "-ERR Usage: hash insert|insert_ifempty|select|delete|delete_ifmatch/realm/key[/value]\n"


class Hashes:
    """Answers as the switch does, text for text."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], str] = {}

    def obey(self, text: str) -> str:
        """One ``hash`` command without its name, such as ``insert/il/alive/1795389870``."""
        verb, _, rest = text.partition("/")
        verb = verb.lower()
        realm, _, rest = rest.partition("/")
        key, has_value, value = rest.partition("/")
        has_value = value if verb == "insert" else has_value
        place = (realm, key)
        known = place in self.values
        if not realm or not key:
            return USAGE
        if verb == "insert" and has_value:
            self.values[place] = value
            return "+OK\n"
        if verb == "insert_ifempty" and has_value:
            if known:
                return "-ERR key already exists\n"
            self.values[place] = value
            return "+OK\n"
        if verb == "select":
            return self.values.get(place, "")
        if verb == "delete":
            if not known:
                return "-ERR Not found\n"
            del self.values[place]
            return "+OK\n"
        if verb == "delete_ifmatch" and has_value:
            if not known:
                return "-ERR Not found\n"
            if self.values[place] != value:
                return "-ERR Doesn't match\n"
            del self.values[place]
            return "+OK\n"
        return USAGE

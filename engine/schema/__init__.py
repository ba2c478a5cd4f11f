"""Files that people write: YAML read as it was typed, held against a shape, every fault with its place.

``load_file(path, Model)`` is the way in; see ``source`` (YAML), ``shapes`` (what a file may hold) and
``faults`` (how a mistake is shown).
"""

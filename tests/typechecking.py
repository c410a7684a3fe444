"""The type checker that runs on every call while testing (see `conftest.py`)."""

from beartype import BeartypeConf, beartype

# PEP 484: an int is welcome where a float is asked for.
checked = beartype(conf=BeartypeConf(is_pep484_tower=True))

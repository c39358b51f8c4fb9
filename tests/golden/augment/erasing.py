"""Ops that take parts away: references and cases."""

OPS = {}


def cases():
    yield from ()

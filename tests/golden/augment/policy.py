"""Ops that choose among other ops: references and cases."""

OPS = {}


def cases():
    yield from ()

"""Ops that blur, and what a file format does: references and cases."""

OPS = {}


def cases():
    yield from ()

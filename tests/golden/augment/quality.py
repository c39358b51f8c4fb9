"""Ops that do what a camera, a file format or the weather does: references and cases."""

OPS = {}


def cases():
    yield from ()

"""Ops that bend a picture: references and cases."""

OPS = {}


def cases():
    yield from ()

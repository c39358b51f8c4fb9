"""Ops that add noise and weather: references and cases."""

OPS = {}


def cases():
    yield from ()

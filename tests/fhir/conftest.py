"""A house for each file of tests."""

from tests.api.conftest import house

__all__ = ["house"]

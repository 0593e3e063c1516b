"""Stubs made by clients/python/generate; not to be edited."""

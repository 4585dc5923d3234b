"""Exports: a plan as a bundle of evidence, as FHIR, as a table or a page; a clinic with everything in it.

What leaves here can be read without this service; what can be checked says how.
"""

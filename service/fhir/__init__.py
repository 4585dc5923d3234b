"""FHIR R4: plans told as resources (read, search, export) and resources read as plans (import).

The law of this folder: `decisions.py` says once for every type of entry what becomes of it; the builders
beside it make one resource each from a `Chart`, which is one plan at one version of the one fold.
Nothing here knows HTTP.
"""

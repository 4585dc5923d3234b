"""``script/bench``: how fast the service is, as ratios within one run.

Law of this folder: it uses the service as its users do – over HTTP, or through its use cases – and
changes nothing but its own temporary data home. No figure is corrected after it was measured.
"""

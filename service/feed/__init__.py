"""The feed: what a clinic records, entry by entry, for those who build on it.

Entries become CloudEvents in the order of the clinic's log. A place in the feed is a position of that
log; the log has no gaps, so "what comes after it" is the whole truth.
"""

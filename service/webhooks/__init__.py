"""Webhooks: telling other programs what a clinic records, entry by entry, as it happens.

Each subscriber has a cursor in the clinic's log. A plan's entries arrive in order, each at least once
and under the same id (Standard Webhooks, https://www.standardwebhooks.com).
"""

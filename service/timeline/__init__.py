"""The timeline: entries told for people, of one plan or of the whole clinic."""

from service.timeline.finding import ORDERS, Filter
from service.timeline.reading import Page, TimelineService
from service.timeline.telling import OLD_FORMATS, in_todays_format, without_words

__all__ = [
    "OLD_FORMATS",
    "ORDERS",
    "Filter",
    "Page",
    "TimelineService",
    "in_todays_format",
    "without_words",
]

"""Long lists in pages: which part of one is shown, and the links to the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from console.render import AnyRequest
from core.records import Record

PAGE_ROWS = 100
MOST_WORDS = 200
"""Characters of one value that an address asks for."""
PAGES_ABOUT = 2
"""How many pages before and after the shown one are offered by number, where a list says nothing else."""

_MOST_DIGITS = 6
"""Of the number of a page; no list has more."""

_Row = TypeVar("_Row")


class PageLink(NamedTuple):
    """A page of the list by its number."""

    number: int
    link: str


class Pager(Record, frozen=True, kw_only=True):
    """Which part of the list is shown, by the numbers of its rows from 1 on; an empty link leads nowhere.

    Attributes:
        links: pages to go to by number, in order: the first, those about this one, the last; None for a gap.
    """

    page: int
    pages: int
    first: int
    last: int
    total: int
    previous: str
    next: str
    links: tuple[PageLink | None, ...]


def page_of(request: AnyRequest) -> int:
    """The page of a list that the address asks for; what is no number asks for the first."""
    page: str = request.query_params.get("page", "")
    return max(1, int(page)) if page.isascii() and page.isdigit() and len(page) <= _MOST_DIGITS else 1


def pager(address: Callable[..., str], asked: int, total: int, about: int = PAGES_ABOUT) -> Pager:
    """The page that is asked for, or the last one there is; ``address(page=...)`` is where each page is."""
    pages = max(1, -(-total // PAGE_ROWS))
    page = min(max(asked, 1), pages)
    return Pager(
        page=page,
        pages=pages,
        first=min(total, (page - 1) * PAGE_ROWS + 1),
        last=min(total, page * PAGE_ROWS),
        total=total,
        previous=address(page=page - 1) if page > 1 else "",
        next=address(page=page + 1) if page < pages else "",
        links=tuple(PageLink(each, address(page=each)) if each else None for each in _numbers(page, pages, about)),
    )


def part_of(found: Sequence[_Row], page: int) -> Sequence[_Row]:
    """The rows that stand on that page."""
    return found[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]


def _numbers(page: int, pages: int, about: int) -> list[int | None]:
    """The first page, those about this one, the last; None where some are left out."""
    shown = sorted({1, pages, *range(max(1, page - about), min(pages, page + about) + 1)})
    found: list[int | None] = []
    for before, number in zip([0, *shown], shown, strict=False):
        found += [number] if number == before + 1 else [None, number]
    return found

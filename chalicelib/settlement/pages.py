"""Owns how our PDF pages look: fonts, styles, tables, and 'Page 2 of 7' on each. Carries reportlab; for functions only.

The fonts are Open Sans (Apache License 2.0) from a package: Latin with every European accent, Greek and Cyrillic, and
figures of one width, so that columns of money stand straight.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import ttf_opensans
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph, Table, TableStyle

INK, QUIET, LINE, PAPER = HexColor("#17324D"), HexColor("#5B6B7A"), HexColor("#D5DDE5"), HexColor("#F4F7FA")
BODY_INK, WARNING, WARNING_PAPER = HexColor("#1F2933"), HexColor("#9A3412"), HexColor("#FFF4ED")
REGULAR, STRONG, SLANTED = "OpenSans", "OpenSans-SemiBold", "OpenSans-Italic"
MARGIN = 17 * mm
TOP, FOOT = 15 * mm, 19 * mm
WIDTH = A4[0] - 2 * MARGIN

Row = Sequence[Any]


def _register_fonts() -> None:
    folder = Path(ttf_opensans.__file__).parent / "ttf"
    for name in (REGULAR, STRONG, SLANTED):
        file = "OpenSans-Regular" if name == REGULAR else name
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{file}.ttf")))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=STRONG, italic=SLANTED, boldItalic=STRONG)


_register_fonts()


def _style(name: str, size: float, leading: float, **but: Any) -> ParagraphStyle:
    fields = {"fontName": REGULAR, "textColor": BODY_INK, "splitLongWords": 1, "wordWrap": None} | but
    return ParagraphStyle(name, fontSize=size, leading=leading, **fields)


BODY = _style("body", 8.5, 11.5)
SMALL = _style("small", 7.2, 9.6, textColor=QUIET)
CELL = _style("cell", 7.6, 9.8)
CELL_STRONG = _style("cell strong", 7.6, 9.8, fontName=STRONG)
NUMBER = _style("number", 7.6, 9.8, alignment=TA_RIGHT)
NUMBER_STRONG = _style("number strong", 7.6, 9.8, alignment=TA_RIGHT, fontName=STRONG)
HEAD = _style("head", 7.2, 9.2, textColor=QUIET, fontName=STRONG)
HEAD_NUMBER = _style("head number", 7.2, 9.2, textColor=QUIET, fontName=STRONG, alignment=TA_RIGHT)
TITLE = _style("title", 20, 25, textColor=INK, fontName=STRONG)
HEADING = _style("heading", 12, 16, textColor=INK, fontName=STRONG, spaceBefore=9, spaceAfter=4, keepWithNext=1)
SUBHEADING = _style("subheading", 9.2, 12, textColor=INK, fontName=STRONG)
LABEL = _style("label", 7.2, 9.4, textColor=QUIET)
FIGURE = _style("figure", 14, 18, textColor=INK, fontName=STRONG)
NOTED = _style("noted", 9, 12, textColor=INK, fontName=STRONG)
WARNED = _style("warned", 8, 10.6, textColor=WARNING)


def text(words: str, style: ParagraphStyle = CELL) -> Paragraph:
    """Words as they are, never taken for markup, wrapped within their cell."""
    return Paragraph(escape(words, quote=False).replace("\n", "<br/>"), style)


def number(words: str, strong: bool = False) -> Paragraph:
    """A figure, to the right."""
    return text(words, NUMBER_STRONG if strong else NUMBER)


def grid(
    header: Row,
    rows: Sequence[Row],
    widths: Sequence[float],
    numbers: Sequence[int] = (),
    last_is_total: bool = False,
    width: float | None = None,
) -> Table:
    """A table with a quiet header repeated on each page; cells are words or flowables, `numbers` columns to the right.

    `widths` are shares of `width` in points, else of the page's.
    """
    heads = [text(each, HEAD_NUMBER if place in numbers else HEAD) for place, each in enumerate(header)]
    body = [
        [_cell(each, place in numbers, last_is_total and row is rows[-1]) for place, each in enumerate(row)]
        for row in rows
    ]
    scale = (width or WIDTH) / sum(widths)
    table = Table([heads, *body], colWidths=[scale * share for share in widths], repeatRows=1)
    table.setStyle(_GRID)
    if last_is_total:
        table.setStyle(
            TableStyle([("LINEABOVE", (0, -1), (-1, -1), 0.8, INK), ("BACKGROUND", (0, -1), (-1, -1), PAPER)])
        )
    table.hAlign = "LEFT"
    return table


_GRID = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, INK),
        ("LINEBELOW", (0, 1), (-1, -1), 0.35, LINE),
        ("TOPPADDING", (0, 0), (-1, -1), 2.2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ]
)


def facts(pairs: Sequence[tuple[str, str]], width: float, label_share: float = 0.42) -> Table:
    """Labels with what they name beside them."""
    rows = [[text(label, LABEL), text(words, CELL)] for label, words in pairs]
    table = Table(rows, colWidths=[width * label_share, width * (1 - label_share)])
    table.setStyle(_FACTS)
    return table


_FACTS = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 0.8),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0.8),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ]
)


def beside(parts: Sequence[Any], widths: Sequence[float], gap: float = 0) -> Table:
    """Flowables next to each other, their tops level; `widths` in points."""
    table = Table([list(parts)], colWidths=list(widths))
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), gap),
                ("TOPPADDING", (0, 0), (-1, -1), 0),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
            ]
        )
    )
    return table


def headline(pairs: Sequence[tuple[str, str]]) -> Table:
    """The few figures that everybody looks for first, large, each over its label."""
    cells = [[text(figure, FIGURE), text(label, LABEL)] for figure, label in pairs]
    table = Table([cells], colWidths=[WIDTH / len(pairs)] * len(pairs))
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, -1), PAPER),
                ("LINEBEFORE", (1, 0), (-1, -1), 0.5, LINE),
                ("LEFTPADDING", (0, 0), (-1, -1), 8),
                ("TOPPADDING", (0, 0), (-1, -1), 6),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 7),
            ]
        )
    )
    return table


def notice(words: str) -> Table:
    """A sentence that belongs to the document, set apart."""
    table = Table([[text(words, NOTED)]], colWidths=[WIDTH])
    table.setStyle(TableStyle([("BACKGROUND", (0, 0), (-1, -1), PAPER), ("LINEBEFORE", (0, 0), (0, -1), 2, INK)]))
    return table


def banner(words: str) -> Table:
    """A sentence that nobody may overlook."""
    table = Table([[text(words, WARNED)]], colWidths=[WIDTH])
    table.setStyle(
        TableStyle([("BACKGROUND", (0, 0), (-1, -1), WARNING_PAPER), ("LINEBEFORE", (0, 0), (0, -1), 2, WARNING)])
    )
    return table


def render(story: Sequence[Flowable], title: str, author: str, foot: str) -> bytes:
    """The PDF of flowables, A4; the same flowables give the same bytes. `foot` stands on every page."""
    stream = io.BytesIO()
    document = BaseDocTemplate(
        stream,
        pagesize=A4,
        title=title,
        author=author,
        creator="Headroom",
        producer="Headroom",
        lang="en-GB",
        invariant=1,
    )
    height = A4[1] - FOOT - TOP
    frame = Frame(MARGIN, FOOT, WIDTH, height, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    document.addPageTemplates([PageTemplate(frames=[frame])])
    document.build(list(story), canvasmaker=_counted(foot))
    return stream.getvalue()


def _counted(foot: str) -> Callable[..., Canvas]:
    class Counted(Canvas):  # type: ignore[misc]
        """Keeps pages until it is known how many there are."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._kept: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._kept.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for page, kept in enumerate(self._kept, 1):
                self.__dict__.update(kept)
                _draw_foot(self, foot, f"Page {page} of {len(self._kept)}")
                super().showPage()
            super().save()

    return Counted


def _draw_foot(canvas: Canvas, foot: str, page: str) -> None:
    canvas.saveState()
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.5)
    canvas.line(MARGIN, FOOT - 4 * mm, A4[0] - MARGIN, FOOT - 4 * mm)
    canvas.setFillColor(QUIET)
    canvas.setFont(REGULAR, 7)
    canvas.drawRightString(A4[0] - MARGIN, FOOT - 8 * mm, page)
    canvas.drawString(MARGIN, FOOT - 8 * mm, _shortened(foot, WIDTH - 22 * mm))
    canvas.restoreState()


def _shortened(words: str, width: float) -> str:
    """Words that fit a width on one line, the rest left out with an ellipsis."""
    if pdfmetrics.stringWidth(words, REGULAR, 7) <= width:
        return words
    while words and pdfmetrics.stringWidth(words + "…", REGULAR, 7) > width:
        words = words[:-1]
    return words + "…"


def _cell(value: Any, is_number: bool, strong: bool) -> Any:
    if not isinstance(value, str):
        return value
    return number(value, strong) if is_number else text(value, CELL_STRONG if strong else CELL)

"""Small charts as SVG inside the report: no script, nothing from elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 380, 170  # of a curve, in its own units
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 10, 26  # what the axes need
WANTED_TICKS: Final = 5
NICE: Final = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Curve:
    """One line over time: what it shows, and its points (seconds, value)."""

    title: str
    unit: str
    points: tuple[tuple[float, int], ...]

    @property
    def peak(self) -> tuple[float, int]:
        """The highest point, the first of several."""
        return max(self.points, key=lambda point: point[1], default=(0.0, 0))

    @property
    def summary(self) -> str:
        """Say in words what the picture shows."""
        if not self.points:
            return f"{self.title}: nothing was seen"
        seconds, value = self.peak
        last = self.points[-1][1]
        return f"At most {value:,} {self.unit}, {seconds:.0f} s in; {last:,} at the end."


def ticks(limit: float, wanted: int = WANTED_TICKS) -> list[float]:
    """Choose round values from 0 up to *limit*, about as many as *wanted*."""
    if limit <= 0:
        return [0]
    rough = limit / wanted
    power = 10 ** math.floor(math.log10(rough))
    step = next((n * power for n in NICE if n * power >= rough), 10 * power)
    return [round(n * step, 6) for n in range(int(limit / step + 1e-9) + 1)]


def draw(curve: Curve, *, seconds: float) -> Markup:
    """Draw a curve over the whole run of *seconds*."""
    top = max(curve.peak[1], 1)
    inner_width, inner_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    ground = TOP + inner_height

    def x(value: float) -> float:
        return round(LEFT + inner_width * value / max(seconds, 0.001), 1)

    def y(value: float) -> float:
        return round(ground - inner_height * value / top, 1)

    parts = []
    for mark in ticks(seconds):
        parts.append(
            Markup('<line class="grid" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(
                x(mark), TOP, ground
            )
        )
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="middle">{} s</text>').format(
                x(mark), HEIGHT - 6, f"{mark:g}"
            )
        )
    for mark in ticks(top, 3):
        parts.append(
            Markup('<line class="grid" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>').format(
                LEFT, WIDTH - RIGHT, y(mark)
            )
        )
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(
                LEFT - 8, y(mark) + 4, f"{mark:,g}"
            )
        )
    if curve.points:
        # A value holds until the next look: steps, not slopes that nobody saw.
        line = [f"{x(curve.points[0][0])},{y(curve.points[0][1])}"]
        for (_, before), (at, value) in zip(curve.points, curve.points[1:], strict=False):
            line += [f"{x(at)},{y(before)}", f"{x(at)},{y(value)}"]
        first, last = x(curve.points[0][0]), x(curve.points[-1][0])
        area = [f"{first},{ground}", *line, f"{last},{ground}"]
        parts.append(Markup('<polygon class="area" points="{}"/>').format(" ".join(area)))
        parts.append(Markup('<polyline class="line" points="{}"/>').format(" ".join(line)))
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, f"{curve.title}. {curve.summary}", Markup().join(parts)
    )


def bar(begun: float, length: float, whole: float) -> Markup:
    """Draw one step on the line of the whole run: where it begins and how long it is."""
    start = 100 * begun / max(whole, 0.001)
    width = max(100 * length / max(whole, 0.001), 0.6)
    return Markup(
        '<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="6"/>'
        '<rect class="run" x="{}" width="{}" height="6"/></svg>'
    ).format(f"{min(start, 100 - width):.2f}", f"{width:.2f}")


def share(parts: Sequence[tuple[str, float]]) -> Markup:
    """Draw parts of a whole beside each other, in shades from strong to faint."""
    whole = sum(seconds for _, seconds in parts) or 1
    drawn, start = [], 0.0
    for number, (_, seconds) in enumerate(parts):
        width = 100 * seconds / whole
        drawn.append(
            Markup('<rect class="part part-{}" x="{}" width="{}" height="6"/>').format(
                number % 6, f"{start:.2f}", f"{width:.2f}"
            )
        )
        start += width
    return Markup(
        '<svg class="share" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        "{}</svg>"
    ).format(Markup().join(drawn))

"""Line charts as SVG, side by side; both axes logarithmic. Standard library only."""

import math
from html import escape

WIDTH, HEIGHT = 460, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 40, 72
COLOURS = ["#0072b2", "#d55e00", "#8c8c8c", "#009e73"]  # told apart by the colour-blind, too


def steps(low, high):
    """1, 2, 5, 10... that cover low to high."""
    step = 10.0 ** math.floor(math.log10(low))
    found = []
    while not found or found[-1] < high:
        found += [step * m for m in (1, 2, 5)]
        step *= 10
    first = max([i for i, value in enumerate(found) if value <= low] or [0])
    last = next(i for i, value in enumerate(found) if value >= high)
    return found[first:max(last, first + 1) + 1]


def short(value):
    if value >= 1e6:
        return f"{value / 1e6:g} M"
    if value >= 1e3:
        return f"{value / 1e3:g} k"
    return f"{value:g}"


def place(value, axis, start, length):
    low, high = math.log(axis[0]), math.log(axis[-1])
    return start + (math.log(value) - low) / (high - low) * length


def text(x, y, what, anchor="middle", size=11):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">'
            f'{escape(what)}</text>')


def chart(x0, title, x_label, lines):
    """One chart whose left edge is at x0."""
    points = [p for _, line in lines for p in line if p[0] > 0 and p[1] > 0]
    if not points:
        return []
    xs = steps(min(p[0] for p in points), max(p[0] for p in points))
    ys = steps(min(p[1] for p in points), max(p[1] for p in points))
    left, right = x0 + LEFT, x0 + WIDTH - RIGHT
    top, bottom = TOP, HEIGHT - BOTTOM
    out = [text(left, 22, title, "start", 14)]
    for value in ys:
        y = place(value, ys, bottom, top - bottom)
        out.append(f'<path d="M{left} {y:.1f}H{right}" stroke="#dddddd"/>')
        out.append(text(left - 6, y + 4, short(value), "end"))
    for value in xs:
        out.append(text(place(value, xs, left, right - left), bottom + 16, short(value)))
    out.append(text((left + right) / 2, bottom + 34, x_label))
    legend = left
    for i, (name, line) in enumerate(lines):
        colour = COLOURS[i % len(COLOURS)]
        path = [(place(x, xs, left, right - left), place(y, ys, bottom, top - bottom))
                for x, y in line if x > 0 and y > 0]
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in path)
        out.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in path]
        out.append(f'<rect x="{legend:.1f}" y="{HEIGHT - 24}" width="10" height="10" '
                   f'fill="{colour}"/>')
        out.append(text(legend + 14, HEIGHT - 15, name, "start", 10))
        legend += 32 + 5.5 * len(name)
    return out


def plot(charts):
    """charts: (title, label of x, [(name, [(x, y), ...]), ...]) each. Returns the SVG."""
    width = WIDTH * len(charts)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" '
           f'viewBox="0 0 {width} {HEIGHT}" font-family="sans-serif" fill="#222222">',
           '<rect width="100%" height="100%" fill="#ffffff"/>']
    for i, (title, x_label, lines) in enumerate(charts):
        out += chart(i * WIDTH, title, x_label, lines)
    return "\n".join(out + ["</svg>"]) + "\n"

"""What bench/compare found, as Markdown tables and a plot. Standard library only."""

import os
import statistics

from compare_servers import ALL, REFERENCE, SERVERS
from plot import plot

BEGIN, END = "<!-- ./dev bench writes from here -->", "<!-- ./dev bench: to here -->"
IMAGE = "images/broadcast.svg"
SATURATED = "†"


def median(results, *path):
    values = []
    for result in results:
        for key in path:
            result = result[key] if result is not None else None
        if result is not None:
            values.append(result)
    return statistics.median(values) if values else None


def figure(value, digits, unit=""):
    return "" if value is None else f"{value:,.{digits}f}{unit}"


def is_saturated(result):
    """True if the generator and not the server may be what was measured."""
    generator = result["generator"]
    return generator["core_percent"] > 90 or generator["drops"] > 0 or generator["late_p99_ms"] > 5


def mark(results):
    """A sign for what mostly was measured by a generator that had too much to do."""
    return f" {SATURATED}" if 2 * sum(is_saturated(r) for r in results) > len(results) else ""


def pair(results, *path):
    return f"{figure(median(results, *path, 'p50'), 2)} / {figure(median(results, *path, 'p99'), 2)} ms"


def figures(results, reference):
    """The cells of one server in one case; reference: what the same costs the other one."""
    cost = median(results, "cpu_us_per_packet")
    return [f"{cost:.2f}{mark(results)}", figure(median(results, "packets_per_cpu_s"), 0),
            figure(reference / cost if reference else None, 1),
            figure(median(results, "calls_per_packet"), 3),
            figure(median(results, "loss_percent"), 3, " %"), pair(results, "delay_ms"),
            figure(median(results, "memory_kib_per_connection"), 0),
            pair(results, "connected_ms")]


def case_table(cases, results):
    """cases: (name, label, names of servers)."""
    heads = ["", "", "CPU µs per packet", "packets per CPU second", "times `event_loops=1`",
             "system calls per packet", "loss", "delay p50 / p99", "KiB per connection",
             "set-up p50 / p99"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    reference = None
    for name, label, servers in cases:
        if REFERENCE in servers:  # the rows that follow without it are variants of this one
            reference = median(results.get(name, {}).get(REFERENCE, []), "cpu_us_per_packet")
        for server in servers:
            runs = results.get(name, {}).get(server)
            if runs is None:
                continue  # not wanted, or not there
            cells = figures(runs, reference) if runs else ["could not be measured", *[""] * 7]
            lines.append(f"| {label} | {SERVERS[server].label} | {' | '.join(cells)} |")
            label = ""
    return lines if len(lines) > 2 else []


def flat_table(flat):
    """flat: server -> results of broadcasts to more and more."""
    sizes = sorted({r["subscribers"] for runs in flat.values() for r in runs})
    if not sizes:
        return []
    lines = ["", "CPU µs per packet, and delay p99, of the broadcast at 1.5 Mbit/s by the number of "
             "subscribers, until it is too much:", "",
             f"| | {' | '.join(f'{size:,}' for size in sizes)} |", "|---" * (len(sizes) + 1) + "|"]
    for server, runs in flat.items():
        cells = []
        for size in sizes:
            here = [r for r in runs if r["subscribers"] == size]
            cells.append(f"{figure(median(here, 'cpu_us_per_packet'), 2)}{mark(here)}, "
                         f"{figure(median(here, 'delay_ms', 'p99'), 2)} ms" if here else "")
        lines.append(f"| {SERVERS[server].label} | {' | '.join(cells)} |")
    return lines


def half_table(half):
    rows = [(server, runs) for server, runs in half.items() if runs]
    if not rows:
        return []
    lines = ["", "The same broadcast at half load, to as many as should take half of the server's "
             "core:", "",
             "| | subscribers | of the core | loss | delay p50 | p99 | p99.9 |",
             "|---" * 7 + "|"]
    for server, runs in rows:
        core = 100 * median(runs, "server_cpu_s") / median(runs, "seconds")
        delays = [figure(median(runs, "delay_ms", q), 2, " ms") for q in ("p50", "p99", "p999")]
        lines.append(f"| {SERVERS[server].label} | {figure(median(runs, 'subscribers'), 0)} "
                     f"| {core:.0f} %{mark(runs)} | {figure(median(runs, 'loss_percent'), 3)} % "
                     f"| {' | '.join(delays)} |")
    return lines


def idle_table(idle):
    rows = [(server, runs) for server, runs in idle.items() if runs]
    if not rows:
        return []
    lines = ["", "Memory of participants who are connected and silent, in rooms of ten; with Janus "
             "each has a connection to send and one to receive:", "",
             "| | participants | KiB per participant | set-up p50 / p99 |", "|---" * 4 + "|"]
    for server, runs in rows:
        participants = median(runs, "rooms") * median(runs, "publishers")
        connections = median(runs, "connections")
        memory = median(runs, "memory_kib_per_connection")
        each = memory * connections / participants if memory is not None else None
        lines.append(f"| {SERVERS[server].label} | {participants:,.0f} | {figure(each, 0)} "
                     f"| {pair(runs, 'connected_ms')} |")
    return lines


def largest_lines(largest):
    lines = []
    for server, found in largest.items():
        why = {"server": "", "none": ""}.get(found["limit"], f", at least: {found['limit']} was the limit")
        lines.append(f"- {SERVERS[server].label}: {found['largest']:,} subscribers{why}")
    if lines:
        lines = ["", "The largest broadcast with loss below 0.1 % and delay p99 below 20 ms:", "", *lines]
    return lines


def write_plot(top, flat):
    def lines(x, y):
        found = []
        for server in ALL:
            points = [(x(r), y(r)) for r in flat.get(server, []) if x(r) and y(r)]
            if points:
                found.append((SERVERS[server].label.replace("`", ""), sorted(points)))
        return found

    path = os.path.join(top, "docs", IMAGE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(plot([
            ("packets per CPU second", "subscribers",
             lines(lambda r: r["subscribers"], lambda r: r["packets_per_cpu_s"])),
            ("delay p99, ms", "load, packets per second",
             lines(lambda r: r["packets_per_s"], lambda r: r["delay_ms"]["p99"])),
        ]))
    return path


def describe(options, cases, results):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file
                      if line.startswith("model name")), "unknown processor")
    counts = [len(runs) for name, _, _ in cases for runs in results.get(name, {}).values() if runs]
    low, high = min(counts, default=1), max(counts, default=1)
    rounds = f"{high} round{'s' if high > 1 else ''}" if low == high else f"{low} to {high} rounds"
    return (f"Medians of {rounds} of {options.seconds} s, {model}, "
            f"{os.cpu_count()} cores, Linux {os.uname().release}.")


def report(options, cases, results):
    """Lines of Markdown. results: case -> server -> list of what sluice-bench said."""
    lines = [describe(options, cases, results), "", *case_table(cases, results)]
    if any(SATURATED in line for line in lines):
        lines += ["", f"{SATURATED} the generator had too much to do: the server can do more, or better."]
    lines += flat_table(results.get("flat", {}))
    lines += half_table(results.get("half", {}))
    lines += idle_table(results.get("idle", {}))
    return lines


def write_document(top, lines):
    path = os.path.join(top, "docs/PERFORMANCE.md")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if BEGIN not in text or END not in text:
        raise ValueError(f"{path} has no place for the tables: {BEGIN}")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + "\n\n" + "\n".join(lines) + "\n\n" + END + after)
    return path


def half_load(results):
    """Subscribers whose broadcast takes half a core, by what 200 of them cost."""
    cost = median(results, "cpu_us_per_packet")
    rate = median(results, "packets_per_s")
    size = median(results, "subscribers")
    if not cost or not rate:
        return None
    return max(1, round(0.5e6 / (cost * rate / size)))

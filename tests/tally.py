#!/usr/bin/env python3
"""Count test cases. Arguments: exit status, then a TAP stream or meson's testlog.json.

Prints "passed failed skipped" and, to standard error, why cases of a testlog.json failed. What ended badly without saying so in a case (a crash, a time-out,
fewer cases than planned, no log at all) counts as one failed case.
"""

import json
import re
import sys

CASE = re.compile(r"^(not )?ok\b([^#]*)(?:#\s*(skip|todo))?", re.I)


def count_tap(text, ended_well):
    passed = failed = skipped = 0
    planned = None
    for line in text.splitlines():
        case = CASE.match(line)
        if case and case.group(3):
            skipped += 1
        elif case and case.group(1):
            failed += 1
        elif case:
            passed += 1
        elif line.startswith("Bail out!"):
            ended_well = False
        elif re.match(r"1\.\.\d+", line):
            planned = int(re.match(r"1\.\.(\d+)", line).group(1))
    if planned is not None and passed + failed + skipped < planned:
        ended_well = False
    if planned == 0 and not passed + failed + skipped:
        skipped = 1
    if not failed and not ended_well:
        failed = 1
    return passed, failed, skipped


def print_failure(test):
    """meson shows what a test wrote to standard error, but not the comments in its TAP."""
    print(f"-- {test['name']}: {test['result']}", file=sys.stderr)
    for line in test.get("stdout", "").splitlines():
        if not re.match(r"ok\b|1\.\.", line):
            print(line, file=sys.stderr)


def count_meson(text, ended_well):
    total = (0, 0, 0)
    for line in text.splitlines():
        test = json.loads(line)
        well = test["result"] in ("OK", "SKIP", "EXPECTEDFAIL")
        counts = count_tap(test.get("stdout", ""), well)
        if not well:
            print_failure(test)
        if well and not any(counts):
            counts = (1, 0, 0)
        total = tuple(a + b for a, b in zip(total, counts))
    if not ended_well and not total[1]:
        total = (total[0], 1, total[2])
    return total


def main():
    ended_well = sys.argv[1] == "0"
    try:
        with open(sys.argv[2], encoding="utf-8", errors="replace") as file:
            text = file.read()
    except (IndexError, OSError):
        text, ended_well = "", False
    count = count_meson if text.startswith("{") else count_tap
    print(*count(text, ended_well))


if __name__ == "__main__":
    main()

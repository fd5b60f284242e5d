#!/usr/bin/env python3
"""clang-format and clang-tidy over all C files. Argument: a configured build folder. Prints TAP.

A file that clang-tidy liked is not looked at again until it, a header it includes, its compile
command or .clang-tidy changes: what was seen is kept under <build folder>/tidy/.
"""

import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys

from check_style import TOP, Tree


def run(command, cwd=TOP):
    return subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace", check=False)


def check_format(files):
    """One line for each file: where its first difference is."""
    result = run(["clang-format", "--dry-run", "--Werror"] + files)
    firsts = {}
    for line in result.stderr.splitlines():
        if " error: " in line:
            firsts.setdefault(line.split(":")[0], line.split(" [")[0])
    return list(firsts.values()) or ([result.stderr] if result.returncode else [])


def compile_commands(build):
    """Source file -> its first compile command."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    commands = {}
    for entry in entries:
        path = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
        if os.path.isfile(path):
            commands.setdefault(path, entry)
    return commands


def fingerprint(entry, settings):
    """Of all that clang-tidy sees: the preprocessed file, comments and macros included."""
    words = shlex.split(entry["command"])
    kept = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MQ"):
            skip = True
        elif word not in ("-c", "-MD"):
            kept.append(word)
    result = run(kept + ["-E", "-C", "-dD"], cwd=entry["directory"])
    seen = "\0".join([settings, entry["command"], result.stdout, result.stderr])
    return hashlib.sha256(seen.encode()).hexdigest()


def check_tidy(build, path, entry, settings):
    mark = os.path.join(build, "tidy", fingerprint(entry, settings))
    if os.path.exists(mark):
        return []
    result = run(["clang-tidy", "--quiet", "-p", build, path])
    if result.returncode == 0:
        with open(mark, "w", encoding="utf-8"):
            pass
        return []
    return (result.stdout.replace(f"{build}/../", "").replace(f"{TOP}/", "").splitlines()
            or result.stderr.splitlines())


def report(number, what, lines):
    for line in lines:
        print("#", line)
    print(f"{'not ' if lines else ''}ok {number} - {what}", flush=True)
    return bool(lines)


def main():
    build = os.path.abspath(sys.argv[1])
    tree = Tree()
    os.makedirs(os.path.join(build, "tidy"), exist_ok=True)
    with open(os.path.join(TOP, ".clang-tidy"), encoding="utf-8") as file:
        settings = file.read()
    commands = compile_commands(build)
    print("1..2")
    failed = report(1, "clang-format would change nothing", check_format(tree.c))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda item: check_tidy(build, *item, settings), commands.items())
        lines = list(dict.fromkeys(line for result in results for line in result))
    failed |= report(2, f"clang-tidy has nothing to say of {len(commands)} files", lines)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

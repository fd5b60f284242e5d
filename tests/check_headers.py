#!/usr/bin/env python3
"""Each header compiles alone, and twice. Arguments: the compiler. Prints TAP."""

import concurrent.futures
import os
import subprocess
import sys

from check_style import TOP, Tree

LIBRARIES = ["nice", "glib-2.0", "libsrtp2", "libevent", "jansson", "opus"]
OPTIONAL = {"media/ipsec_mb.h": "intel-ipsec-mb.h"}  # compiles where this is installed


def library_flags():
    out = subprocess.run(["pkg-config", "--cflags"] + LIBRARIES, stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, check=False).stdout
    return [f.replace("-I", "-isystem", 1) if f.startswith("-I") else f for f in out.split()]


def check(compiler, flags, header):
    source = f'#include "{header}"\n' * 2 + "extern int not_empty;\n"
    if header in OPTIONAL:
        source = f"#if __has_include(<{OPTIONAL[header]}>)\n{source}#endif\nextern int not_empty;\n"
    return subprocess.run(compiler + flags + ["-x", "c", "-"], input=source, cwd=TOP,
                          capture_output=True, text=True, check=False)


def main():
    compiler = sys.argv[1:] or [os.environ.get("CC", "cc")]
    flags = ["-std=c17", "-D_GNU_SOURCE", "-I.", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
             "-fsyntax-only"] + library_flags()
    headers = [n for n in Tree().c if n.endswith(".h")]
    failed = 0
    print(f"1..{len(headers)}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda h: check(compiler, flags, h), headers)
        for number, (header, result) in enumerate(zip(headers, results), 1):
            if result.returncode:
                failed += 1
                for line in result.stderr.splitlines()[:20]:
                    print("#", line)
            print(f"{'not ' if result.returncode else ''}ok {number} - {header} compiles alone")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

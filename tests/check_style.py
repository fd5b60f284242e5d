#!/usr/bin/env python3
"""Checks of style that neither clang-format nor clang-tidy makes. Prints TAP.

Who may include whom, who owns which library, what may be called where, and what every text file
looks like. The tables below are the rules; a new owner is a new line there.
"""

import fnmatch
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

MAX_LINES = 700

# Folder -> folders it may include. "*" is all.
DIRECTIONS = {
    "media/base": ["media/base"],
    "media": ["media", "media/base"],
    "signaling": ["signaling", "media/base"],
    "sfu": ["sfu", "signaling", "media", "media/base"],
    "client": ["client", "signaling", "media", "media/base"],
    "bench": ["*"],
    "tests": ["*"],
}

# Third-party header -> files that may include it. tests/ and bench/ may include everything.
HEADER_OWNERS = {
    "nice/*": ["media/ice_agent.c"],
    "agent.h": ["media/ice_agent.c"],
    "glib*": ["media/ice_agent.c"],
    "gio/*": ["media/ice_agent.c"],
    "stun/*": ["media/stun.c", "media/ice_lite.c", "media/turn_client.c"],
    "srtp2/*": ["media/srtp*.[ch]", "media/seal*.c"],
    "intel-ipsec-mb.h": ["media/ipsec_mb.h"],
    "openssl/*": ["media/dtls*.[ch]", "media/srtp*.c",
                  "sfu/webhook_signature.c",
                  "signaling/websocket_key.c",  # SHA-1 of the opening handshake, RFC 6455
                  "signaling/tls.c",
                  "signaling/turn_credentials.c",
                  "signaling/token_pem.c",
                  "client/*.c"],
    "usrsctp.h": ["media/sctp.c"],
    "event2/*": ["sfu/worker.c", "sfu/agent_paths.c", "sfu/doctor_wire.c", "sfu/tcp_*.c", "sfu/server*.c", "sfu/main.c", "sfu/webhook_http.c", "signaling/*.c", "client/*.c"],
    "event2/bufferevent_ssl.h": ["signaling/tls.c"],
    "curl/*": ["sfu/webhook_http.c"],
    "wslay/*": ["signaling/websocket*.c"],
    "jansson.h": ["signaling/message*", "signaling/admin_request.c", "signaling/token_*.c"],
    "jwt.h": ["signaling/token.c"],
    "cyaml/*": ["sfu/config_file.c"],
    "opus/*": ["client/opus_codec.c"],
    "speex/*": ["client/resample.c"],
}

BANNED = ["sprintf", "vsprintf", "strcpy", "strcat", "strtok", "gets", "atoi", "atol", "alloca",
          "rand", "srand", "sleep", "usleep"]

# Function (a pattern) -> files that may call it.
CALL_OWNERS = {
    r"clock_gettime|gettimeofday|time": ["media/base/clock.c"],
    r"clock_now_us": ["media/base/clock.c", "sfu/worker.c", "sfu/agent_paths.c", "sfu/doctor*.c", "sfu/server*.c", "sfu/main.c",
                      "signaling/*.c", "client/*.c", "bench/*", "tests/*"],
    r"pthread_mutex_\w+|mtx_\w+": ["tests/*"],
    r"socket|sendto|sendmsg|sendmmsg|recvfrom|recvmsg|recvmmsg":
        ["media/udp_socket.c", "media/udp_receiver.c", "media/tcp_socket.c", "sfu/*.c", "signaling/*.c", "client/*.c", "bench/*", "tests/*"],
}

TEXT = (".c", ".h", ".py", ".sh", ".js", ".mjs", ".html", ".css", ".md", ".build", ".txt", ".yaml",
        ".yml", "dev")
CODE = (".c", ".h", ".py", ".sh", ".js", ".mjs", "dev")

# These verbs say it all when there is only one argument (STYLE 5 and 8).
PLAIN_VERBS = ("init", "done", "clear", "free", "ref", "unref", "name")

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                               re.S)


def list_files():
    """Every file of the project, also those not yet committed."""
    try:
        out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP, check=True,
                             stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
        names = set(out.splitlines())
    except (OSError, subprocess.CalledProcessError):
        names = set()
        for folder, folders, files in os.walk(TOP):
            folders[:] = [f for f in folders
                          if f != "node_modules" and not f.startswith((".", "build"))]
            names.update(os.path.relpath(os.path.join(folder, f), TOP) for f in files)
    return sorted(n for n in names if os.path.isfile(os.path.join(TOP, n)))


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8", errors="replace") as file:
        return file.read()


def bare(text):
    """`text` without comments and strings; lines stay where they are."""
    return COMMENT_OR_STRING.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def folder_of(name):
    if name.startswith("media/base/"):
        return "media/base"
    return name.split("/")[0]


def matches(name, patterns):
    return any(fnmatch.fnmatch(name, p) for p in patterns)


class Tree:
    def __init__(self):
        self.files = list_files()
        self.c = [n for n in self.files
                  if n.endswith((".c", ".h")) and folder_of(n) in DIRECTIONS]
        self.text = {n: read(n) for n in self.c}
        self.bare = {n: bare(t) for n, t in self.text.items()}
        self.includes = {n: [(line_of(t, m.start()), m.group(1) == '"', m.group(2))
                             for m in INCLUDE.finditer(t)] for n, t in self.text.items()}


def includes_go_down(tree):
    """Folders include only what is below them."""
    for name in tree.c:
        allowed = DIRECTIONS[folder_of(name)]
        for line, ours, path in tree.includes[name]:
            if not ours:
                continue
            if path not in tree.text and not os.path.isfile(os.path.join(TOP, path)):
                yield name, line, f'"{path}" is not a path from the top folder'
            elif "*" not in allowed and folder_of(path) not in allowed:
                yield name, line, f'{folder_of(name)} must not include "{path}"'


def includes_are_ordered(tree):
    """A file includes its own header first, then the project's, then the system's."""
    for name in tree.c:
        own = name[:-2] + ".h"
        seen_system = False
        if name.endswith(".c") and own in tree.text and tree.includes[name]:
            line, _, first = tree.includes[name][0]
            if first != own:
                yield name, line, f'"{own}" comes first'
        for line, ours, path in tree.includes[name]:
            if ours and seen_system:
                yield name, line, f'"{path}" belongs before the system headers'
            seen_system = seen_system or not ours


def headers_have_no_cycles(tree):
    """No header includes itself by way of others."""
    done = set()

    def visit(name, path):
        if name in path:
            yield name, 1, " -> ".join(path[path.index(name):] + [name])
            return
        if name in done:
            return
        for _, ours, included in tree.includes.get(name, []):
            if ours:
                yield from visit(included, path + [name])
        done.add(name)

    for name in tree.c:
        yield from visit(name, [])


def libraries_have_one_owner(tree):
    """A library's headers are included by its owners only."""
    for name in tree.c:
        if folder_of(name) in ("tests", "bench"):
            continue
        for line, _, path in tree.includes[name]:
            for header, owners in HEADER_OWNERS.items():
                if fnmatch.fnmatch(path, header) and not matches(name, owners):
                    yield name, line, f"<{path}> belongs to {', '.join(owners)}"


def calls(text, names):
    return re.finditer(r"(?<![\w.>])(" + names + r")\s*\(", text)


def banned_functions_are_not_called(tree):
    """Nobody calls what overruns, sleeps or cannot fail properly."""
    for name in tree.c:
        for m in calls(tree.bare[name], "|".join(BANNED)):
            yield name, line_of(tree.bare[name], m.start()), f"{m.group(1)}() is banned"


def clock_locks_and_sockets_have_owners(tree):
    """Only owners read the clock, lock, or talk to the network."""
    for name in tree.c:
        for names, owners in CALL_OWNERS.items():
            if matches(name, owners) or (name.endswith(".h") and "clock_now_us" in names):
                continue
            for m in calls(tree.bare[name], names):
                yield (name, line_of(tree.bare[name], m.start()),
                       f"{m.group(1)}() belongs to {', '.join(owners)}")


PROTOTYPE = re.compile(r"^(?!static|typedef|#|return|else)[A-Za-z_][\w \t*]*?\b(\w+)\(([^{};]*)\)"
                       r"[^{};]*;", re.M)


def prototypes_are_documented(tree):
    """Every function of a header has a comment, or shares the one of the group it stands in."""
    for name in tree.c:
        if not name.endswith(".h") or folder_of(name) == "tests":
            continue
        for m in PROTOTYPE.finditer(tree.bare[name]):
            verb = m.group(1).rsplit("_", 1)[-1]
            if verb in PLAIN_VERBS and "," not in m.group(2):
                continue
            group = tree.text[name][:m.start()].rsplit("\n\n", 1)[-1]
            if "*/" not in group or not group.lstrip().startswith(("/**", "MUST", "/*")):
                yield name, line_of(tree.text[name], m.start()), f"{m.group(1)}() has no comment"


def header_guards_are_the_path(tree):
    """The guard of a header is its path."""
    for name in tree.c:
        guard = re.sub(r"\W", "_", name).upper()
        if name.endswith(".h") and f"#ifndef {guard}\n#define {guard}\n" not in tree.text[name]:
            yield name, 1, f"no include guard {guard}"


def text_is_clean(tree):
    """Text files have no trailing blanks or tabs, and end in one line feed."""
    for name in tree.files:
        if not name.endswith(TEXT):
            continue
        text = read(name)
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                yield name, number, "trailing blanks"
            elif "\t" in line:
                yield name, number, "tab"
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            yield name, line_of(text, len(text)), "must end in one line feed"


def files_are_short(tree):
    """No code file is longer than a reader's patience."""
    for name in tree.files:
        if name.endswith(CODE):
            lines = read(name).count("\n")
            if lines > MAX_LINES:
                yield name, lines, f"more than {MAX_LINES} lines: split it"


RULES = [includes_go_down, includes_are_ordered, headers_have_no_cycles, libraries_have_one_owner,
         banned_functions_are_not_called, clock_locks_and_sockets_have_owners,
         prototypes_are_documented, header_guards_are_the_path, text_is_clean, files_are_short]


def main():
    tree = Tree()
    failed = 0
    print(f"1..{len(RULES)}")
    for number, rule in enumerate(RULES, 1):
        found = list(rule(tree))
        for name, line, what in found:
            print(f"# {name}:{line}: {what}")
        failed += bool(found)
        print(f"{'not ' if found else ''}ok {number} - {rule.__name__.replace('_', ' ')}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

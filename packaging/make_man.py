#!/usr/bin/env python3
"""Write a manual page from what a program says with --help, so that the two cannot differ.

    make_man.py PROGRAM SECTION OUTPUT EXECUTABLE      SECTION 5: the settings as a file
"""
import re
import subprocess
import sys

SUMMARY = {
    "sluice": "host group calls",
    "sluice-client": "join a call from the command line",
    "sluice-bench": "put load on a media server and measure what it costs",
    "sluice.yaml": "settings of the sluice server",
}

SERVER = r"""
.SH FILES
.TP
.I /etc/sluice/sluice.yaml
what the service reads, see
.BR sluice.yaml (5)
.SH SIGNALS
.TP
.BR SIGTERM ", " SIGINT
clients are told, and the server ends; a second one ends it at once
.TP
.B SIGHUP
the configuration and its files (keys, certificate) are read again
.SH ENVIRONMENT
Every option is a variable, too: \fBSLUICE_UDP_PORT\fR for \fB\-\-udp\-port\fR. With
.B NOTIFY_SOCKET
and
.B WATCHDOG_USEC
the service manager is told of the server's state
.RB ( sd_notify (3)).
.SH SEE ALSO
.BR sluice.yaml (5),
.BR sluice-client (1),
.BR sluice-bench (1)
"""

OPTION = re.compile(r"^  (?:-\w, )?(--?[\w-]+)(?: (\S+(?: \S+)*?))?(?:  +(.*))?$")


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in ".'" else text


def page_head(program, section):
    return [f'.TH {program.upper()} {section} "" sluice "Manual of sluice"',
            ".SH NAME", f"{program} \\- {SUMMARY[program]}"]


def is_option(line):
    return line.startswith("  -")


class Page:
    """The lines of a help text, as sections, options and examples."""

    def __init__(self, lines):
        self.lines = lines
        self.out = []
        self.verbatim = False

    def end_verbatim(self):
        if self.verbatim:
            self.out.append(".fi")
        self.verbatim = False

    def option(self, line):
        self.end_verbatim()
        flag, _, text = line.strip().partition("  ")
        self.out += [".TP", "\\fB" + escape(flag) + "\\fR"]
        if text.strip():
            self.out.append(escape(text.strip()))

    def write(self):
        in_option = False
        for line in self.lines:
            if not line.strip():
                self.end_verbatim()
                self.out.append(".PP" if not in_option else ".P")
                in_option = False
            elif re.match(r"^\S.*:$", line):
                self.end_verbatim()
                self.out.append(".SH " + escape(re.split(r" [(\[]", line.rstrip(":"))[0].upper()))
                in_option = False
            elif is_option(line):
                self.option(line)
                in_option = True
            elif in_option and line.startswith("          "):
                self.out.append(escape(line.strip()))
            elif line.startswith(" "):
                if not self.verbatim:
                    self.out.append(".nf")
                self.verbatim = True
                in_option = False
                self.out.append(escape(line))
            else:
                self.end_verbatim()
                self.out.append(escape(line))
        self.end_verbatim()
        return self.out


def program_page(program, help_text):
    lines = help_text.splitlines()
    usage = next(i for i, line in enumerate(lines) if line.lower().startswith("usage:"))
    out = page_head(program, 1)
    out += [".SH SYNOPSIS", escape(lines[usage].split(":", 1)[1].strip())]
    out += [".SH DESCRIPTION", escape(re.sub(r"^[^:]*?(: | - )", "", lines[0], count=1))]
    out += Page(lines[usage + 1:]).write()
    return out


def settings(help_text):
    """@return (name, argument, text) of each option that is a key of the file"""
    found = []
    for line in help_text.splitlines():
        match = re.match(r"^  --([\w-]+) (\S+)(?:  ?\s*(.*))?$", line)
        if match:
            found.append([match.group(1).replace("-", "_"), match.group(2), match.group(3) or ""])
        elif found and line.startswith(" " * 20):
            found[-1][2] += " " + line.strip()
        elif found and not line.startswith(" "):
            break
    return [key for key in found if key[0] != "config"]


def settings_page(help_text):
    out = page_head("sluice.yaml", 5)
    out += [".SH DESCRIPTION",
            "A YAML file that", ".BR sluice (1)", "reads with", r".BR \-\-config .",
            "A key has the name of the option, with _ for \\-. Those that may be given several times are lists.",
            "The environment goes over the file, and options go over both.", ".SH KEYS"]
    for name, argument, text in settings(help_text):
        default = re.search(r" ?\[([^\]]*)\]$", text)
        out += [".TP", f"\\fB{escape(name)}\\fR: \\fI{escape(argument)}\\fR",
                escape(text[:default.start()] if default else text)]
        if default:
            out += [".br", "Default: " + escape(default.group(1))]
    out += [".SH EXAMPLE", ".nf", "listen: \"[::]:443\"", "tls_cert: /etc/sluice/fullchain.pem",
            "tls_key: /etc/sluice/privkey.pem", "keys:", "  \\- app:@/etc/sluice/key", "advertise:",
            "  \\- 203.0.113.7", ".fi", ".SH SEE ALSO", ".BR sluice (1)"]
    return out


def main():
    program, section, output, executable = sys.argv[1:]
    help_text = subprocess.run([executable, "--help"], check=True, capture_output=True, text=True,
                               stdin=subprocess.DEVNULL).stdout
    if section == "5":
        lines = settings_page(help_text)
    else:
        lines = program_page(program, help_text)
        if program == "sluice":
            lines += SERVER.strip().splitlines()
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

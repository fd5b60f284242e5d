"""The servers that bench/compare puts load on: how each is started, alone on its core.

Standard library only.
"""

import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ADDRESS = "192.0.2.1"  # of documentation, RFC 5737: nobody else's
NICE = ["nice", "-n", "-20"]  # other work on the machine weighs little
START_S = 10
STOP_S = 5
JANUS_FOLDERS = ["/usr/lib/*/janus", "/usr/lib/janus", "/usr/local/lib/janus", "/opt/janus/lib/janus"]


class Failure(Exception):
    """For people."""


class Server:
    """One server process, from start to end of one measurement."""

    name = label = ""
    port = 0

    def __init__(self, options):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="sluice-bench-")
        self.process = None

    @staticmethod
    def missing(_options):
        """Why it cannot be measured here; None: it can."""
        return None

    def command(self):
        raise NotImplementedError

    def generator_arguments(self):
        raise NotImplementedError

    def cores(self):
        return str(self.options.server_core)

    def last_words(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
            lines = log.read().strip().splitlines()
        return lines[-1] if lines else "it says nothing"

    def __enter__(self):
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(
                [*NICE, "taskset", "-c", self.cores(), *self.command()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection((ADDRESS, self.port), timeout=1).close()
                time.sleep(0.5)  # what it does once it is up does not count as growth
                return self
            except OSError:
                time.sleep(0.05)
        words = self.last_words()
        self.__exit__()
        raise Failure(f"does not start: {words}")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Sluice(Server):
    name, label, port = "sluice", "sluice", 8080
    workers = 1

    @staticmethod
    def program(options):
        return os.path.join(options.build, "sfu/sluice")

    @classmethod
    def missing(cls, options):
        return None if os.path.exists(cls.program(options)) else f"no {cls.program(options)}"

    def more_arguments(self):
        return []

    def command(self):
        return [self.program(self.options), "--listen", f"{ADDRESS}:{self.port}", "--open", "yes",
                "--workers", str(self.workers), "--log-level", "warn",
                "--max-participants", "30000", "--max-participants-per-room", "5000",
                "--max-connections", "30000", "--max-connections-per-address", "30000",
                *self.more_arguments()]

    def generator_arguments(self):
        return ["--sluice", f"ws://{ADDRESS}:{self.port}"]


class SluiceCoalescing(Sluice):
    """Sound waits for more of it, up to 5 ms, where the server can do that."""

    name, label = "sluice-coalesce", "sluice, `--coalesce-ms 5`"

    @classmethod
    def option(cls, options):
        """The option with its value, as --help describes it; None: there is none."""
        text = subprocess.run([cls.program(options), "--help"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=10).stdout
        found = re.search(r"^\s*(--coalesce\S*)[ =](\S+)", text, re.M)
        if not found:
            return None
        name, unit = found.groups()
        if name.endswith("-us") or unit == "US":
            return [name, "5000"]
        return [name, "5ms" if unit in ("TIME", "DURATION") else "5"]

    @classmethod
    def missing(cls, options):
        reason = super().missing(options)
        if reason:
            return reason
        return None if cls.option(options) else "this sluice has no --coalesce"

    def more_arguments(self):
        return self.option(self.options)


class SluiceTwoWorkers(Sluice):
    """Two workers: on two cores if the generator has a third, or else on the one."""

    name, workers = "sluice-2", 2
    label = "sluice, two workers"

    def cores(self):
        free = [core for core in range(os.cpu_count() or 1) if core != self.options.generator_core]
        return ",".join(str(core) for core in free[:2])


class Janus(Server):
    name, label, port = "janus", "Janus, default threads", 8188
    general = ""

    @staticmethod
    def find(kind, name):
        for folder in JANUS_FOLDERS:
            found = sorted(glob.glob(f"{folder}/{kind}/libjanus_{name}.so*"))
            if found:
                return os.path.realpath(found[0])
        return None

    @classmethod
    def missing(cls, _options):
        if not shutil.which("janus"):
            return "Janus is not installed: apt-get install janus"
        for kind, name in (("plugins", "videoroom"), ("transports", "websockets")):
            if not cls.find(kind, name):
                return f"Janus has no libjanus_{name}.so"
        return None

    def link(self, kind, name):
        os.makedirs(os.path.join(self.folder, kind))
        os.symlink(self.find(kind, name), os.path.join(self.folder, kind, f"libjanus_{name}.so"))

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def command(self):
        self.link("plugins", "videoroom")
        self.link("transports", "websockets")
        folder = self.folder
        self.write("janus.jcfg", f'''general: {{
    configs_folder = "{folder}"
    plugins_folder = "{folder}/plugins"
    transports_folder = "{folder}/transports"
    debug_level = 1
    {self.general}
}}
certificates: {{ }}
media: {{ }}
nat: {{ }}
''')
        self.write("janus.plugin.videoroom.jcfg", "general: { }\n")
        self.write("janus.transport.websockets.jcfg",
                   f'general: {{ json = "compact" ws = true ws_port = {self.port} }}\n')
        return ["janus", "-C", f"{folder}/janus.jcfg", "-F", folder]

    def generator_arguments(self):
        return ["--janus", f"ws://{ADDRESS}:{self.port}"]


class JanusOneLoop(Janus):
    name, label = "janus-1", "Janus, `event_loops=1`"
    general = "event_loops = 1"


SERVERS = {kind.name: kind for kind in
           (Sluice, SluiceCoalescing, SluiceTwoWorkers, JanusOneLoop, Janus)}
ALL = (Sluice.name, JanusOneLoop.name, Janus.name)
REFERENCE = JanusOneLoop.name

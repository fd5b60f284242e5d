"""bench/netlab: delay, rate, loss and changes are what was asked for, NATs map as they are called,
UDP can be blocked, 400 Mbit/s pass, and nothing is left behind, however it ends."""
import json
import os
import signal
import statistics
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("SLUICE_BUILD", os.path.join(ROOT, "build"))
NETLAB = os.path.join(ROOT, "bench", "netlab")

# What nodes run: `python3 -c PEER verb ...`.
PEER = r'''
import json, socket, sys, time
verb, *args = sys.argv[1:]
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if verb == "echo":                      # answer with the address it came from; after DELAY a stranger does
    udp.bind(("0.0.0.0", 9))
    while True:
        data, peer = udp.recvfrom(2048)
        udp.sendto(data + b" %d" % peer[1], peer)
        if data.startswith(b"stranger"):
            stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            stranger.sendto(b"unasked 0", peer)
elif verb == "ping":                    # COUNT INTERVAL ADDRESS: round trips in ms
    count, interval, address = int(args[0]), float(args[1]), args[2]
    sent, got, times = {}, 0, []
    start = time.monotonic()
    for i in range(count):
        sent[i] = time.monotonic()
        udp.sendto(b"%d" % i, (address, 9))
        udp.settimeout(interval if i < count - 1 else 1)
        while True:
            try:
                answer = udp.recv(2048)
            except OSError:
                break
            times.append((time.monotonic() - sent[int(answer.split()[0])]) * 1000)
            left = start + (i + 1) * interval - time.monotonic()
            if left <= 0 and i < count - 1 or len(times) == count:
                break
            udp.settimeout(max(left, 0.001) if i < count - 1 else 1)
    print(json.dumps({"sent": count, "times": times}))
elif verb == "nat":                     # A B: our port as both see it, and whether a stranger gets in
    udp.settimeout(1)
    ports = []
    for address in args:
        udp.sendto(b"port", (address, 9))
        ports.append(int(udp.recv(2048).split()[1]))
    udp.sendto(b"stranger", (args[0], 9))
    answers = []
    try:
        while True:
            answers.append(udp.recv(2048).split()[0].decode())
    except OSError:
        pass
    print(json.dumps({"ports": ports, "own": udp.getsockname()[1], "open": "unasked" in answers}))
elif verb == "blast":                   # ADDRESS PORT SECONDS: as much as TCP can
    tcp = socket.create_connection((args[0], int(args[1])))
    end = time.monotonic() + float(args[2])
    while time.monotonic() < end:
        tcp.sendall(bytes(65536))
elif verb == "sink":                    # PORT: what one connection brings
    listener = socket.create_server(("0.0.0.0", int(args[0])))
    tcp, _ = listener.accept()
    space, start, total = bytearray(1 << 20), time.monotonic(), 0
    while n := tcp.recv_into(space):
        total += n
    print(json.dumps({"mbps": total * 8e-6 / (time.monotonic() - start)}), flush=True)
'''


def check(ok, what):
    if not ok:
        raise AssertionError(what)


def netlab(*lines, control=None):
    """@return (JSON lines that commands printed, the last line, exit status)"""
    args = [a for line in lines for a in ("-e", line.replace("PEER", "/usr/bin/python3 -c \"$SLUICE_PEER\""))]
    result = subprocess.run([NETLAB, "--build", BUILD, *args], capture_output=True, text=True, timeout=60,
                            stdin=subprocess.DEVNULL, env=dict(os.environ, SLUICE_PEER=PEER), check=False)
    printed = result.stdout.splitlines()
    check(printed and printed[-1].startswith("{"), f"{result.returncode}: {result.stdout}{result.stderr}")
    said = [json.loads(line.split("| ", 1)[1]) for line in printed if "| {" in line]
    check(said or len(printed) == 1, result.stdout + result.stderr)
    return said, json.loads(printed[-1]), result.returncode


ECHO = ("node server", "serve server PEER echo", "sleep 300ms")


def delay_is_exact_to_a_fraction_of_a_millisecond():
    said, _, _ = netlab("node a", *ECHO, "link a delay=20ms", "run a PEER ping 40 0.05 {server}")
    median = statistics.median(said[0]["times"])
    check(40 <= median < 41.5, f"median round trip {median} ms over a link of 2 x 20 ms")


def rate_loss_and_changes_are_as_asked():
    said, told, _ = netlab("node a", "node b", *ECHO,
                           "link a seed=1 up loss=20%", "link b delay=1ms; at=1500ms down delay=60ms",
                           "run a PEER ping 400 0.002 {server}", "run b PEER ping 20 0.1 {server}")
    up = told["links"]["a"]["up"]
    check(0.12 < up["lost"] / up["packets_in"] < 0.28, f"lost {up}")
    lossy, changed = sorted(said, key=lambda s: -s["sent"])
    others = up["packets_out"] - len(lossy["times"])  # the kernel looks for IPv6 routers
    check(0 <= others < 5, f"{len(lossy['times'])} answers, {up}")
    check(min(changed["times"]) < 5 and 60 < max(changed["times"]) < 66, f"{changed['times']}")


def a_rate_limits_and_its_queue_is_bounded():
    said, told, _ = netlab("node a", "node server", "link a up rate=8M queue=20ms delay=5ms; down delay=5ms",
                           "run server PEER sink 9000", "wait server 9000", "run a PEER blast {server} 9000 2")
    check(6 < said[0]["mbps"] < 8, f"{said[0]} through 8 Mbit/s")
    check(15 < told["links"]["a"]["up"]["queue_max_ms"] <= 20, f"{told['links']['a']['up']}")


def an_open_link_carries_400_mbit():
    said, _, _ = netlab("node a", "node server", "run server PEER sink 9000", "wait server 9000",
                        "run a PEER blast {server} 9000 2")
    print(f"# {said[0]['mbps']:.0f} Mbit/s")
    check(said[0]["mbps"] > 400, f"{said[0]}")


def nat(kind):
    said, _, _ = netlab(f"node a nat={kind}", "node b", *ECHO, "serve b PEER echo", "sleep 300ms",
                        "run a PEER nat {server} {b}")
    return said[0]


def nats_map_as_they_are_called():
    none, cone, full, symmetric = (nat(kind) for kind in ("none", "cone", "full-cone", "symmetric"))
    check(none["ports"] == [none["own"]] * 2 and none["open"], f"none {none}")
    check(cone["ports"][0] == cone["ports"][1] and not cone["open"], f"cone {cone}")
    check(full["ports"][0] == full["ports"][1] and full["open"], f"full cone {full}")
    check(symmetric["ports"][0] != symmetric["ports"][1] and not symmetric["open"], f"symmetric {symmetric}")


def udp_is_blocked_and_tcp_passes():
    said, _, status = netlab("node a block=udp", *ECHO, "run server PEER sink 9000", "wait server 9000",
                             "run a PEER ping 3 0.05 {server}", "run a PEER blast {server} 9000 0.2")
    check(status == 0, f"ended with {status}")
    check([] in [s.get("times") for s in said] and any(s.get("mbps", 0) > 1 for s in said), f"{said}")


def nodes_behind_one_router_share_its_link():
    said, told, _ = netlab("router home nat=cone", "node a via=home", "node b via=home", *ECHO, "link home delay=10ms",
                           "run a PEER ping 5 0.05 {server}", "run b PEER ping 5 0.05 {server}")
    check(all(len(s["times"]) == 5 and min(s["times"]) > 20 for s in said), f"{said}")
    check(told["links"]["home"]["up"]["packets_in"] >= 10, f"{told}")


def status_is_that_of_the_first_command_that_failed():
    _, told, status = netlab("node a", "run a exit 7")
    check(status == 7 and told["commands"][0]["status"] == 7, f"{status} {told}")


def a_wrong_scenario_is_refused_with_its_line():
    for line, why in (("node a nat=weird", "not understood"), ("link b delay=1ms", "no node b"), ("jump", "not understood")):
        result = subprocess.run([NETLAB, "--build", BUILD, "-e", "node x", "-e", line], capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, timeout=20, check=False)
        check(result.returncode == 2 and "-e:2:" in result.stderr and why in result.stderr, result.stderr)
    result = subprocess.run([NETLAB, "--build", BUILD, "-e", "node a", "-e", "link a loss=5"], capture_output=True,
                            text=True, stdin=subprocess.DEVNULL, timeout=20, check=False)
    check(result.returncode == 1 and "loss wants a share" in result.stderr, result.stderr)


def every_scenario_of_the_project_can_be_read():
    folder = os.path.join(ROOT, "bench", "scenarios")
    for name in os.listdir(folder):
        result = subprocess.run([NETLAB, "--check", os.path.join(folder, name)], capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, timeout=20, check=False)
        check(result.returncode == 0, f"{name}: {result.stderr}")


def a_call_through_a_bad_wifi_is_heard():
    result = subprocess.run([NETLAB, "--build", BUILD, "--set", "seconds=5", os.path.join(ROOT, "bench/scenarios/wifi.scenario")],
                            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    check(result.returncode == 0, result.stdout + result.stderr)
    told = json.loads(result.stdout.splitlines()[-1])
    check(told["links"]["ada"]["up"]["packets_in"] > 200 and told["links"]["bob"]["down"]["reordered"] > 0, f"{told}")


def processes_of(marker):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if marker.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def nothing_is_left_when_it_is_killed():
    for number, marker in ((signal.SIGTERM, "31.4159"), (signal.SIGKILL, "27.1828")):
        lab = subprocess.Popen([NETLAB, "--build", BUILD, "-e", "node a", "-e", "run a trap '' TERM; echo up; sleep 10" + marker],
                               stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        check("up" in lab.stdout.readline(), "it runs")
        namespaces = os.listdir("/run/netns")
        check("a" not in namespaces, f"its namespaces are its own: {namespaces}")
        lab.send_signal(number)
        status = lab.wait(20)
        check(status == (3 if number == signal.SIGTERM else -number), f"ended with {status}")
        end = time.monotonic() + 5
        while (left := [p for p in processes_of("10" + marker) if p != os.getpid()]) and time.monotonic() < end:
            time.sleep(0.1)
        check(not left, f"still there: {left}")


def lines_on_standard_input_change_it():
    lab = subprocess.Popen([NETLAB, "--build", BUILD, "--control", "-e", "node a"], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, text=True)
    lab.stdin.write("link a down rate=3M\nrun a echo hello\n")
    lab.stdin.flush()
    check(lab.stdout.readline() == "a| hello\n", "the command ran")
    lab.stdin.write("stats\nquit\n")
    lab.stdin.flush()
    stats = json.loads(lab.stdout.readline())
    check(stats["t"] == "stats" and stats["links"]["a"]["down"]["rate_bps"] == 3000000, f"{stats}")
    check(lab.wait(20) == 0 and '"netlab"' in lab.stdout.read(), "it ends")


CASES = [delay_is_exact_to_a_fraction_of_a_millisecond, rate_loss_and_changes_are_as_asked,
         a_rate_limits_and_its_queue_is_bounded, an_open_link_carries_400_mbit, nats_map_as_they_are_called,
         udp_is_blocked_and_tcp_passes, nodes_behind_one_router_share_its_link,
         status_is_that_of_the_first_command_that_failed, a_wrong_scenario_is_refused_with_its_line,
         every_scenario_of_the_project_can_be_read, a_call_through_a_bad_wifi_is_heard,
         nothing_is_left_when_it_is_killed, lines_on_standard_input_change_it]


def main():
    if not os.path.exists("/dev/net/tun"):
        print("1..1\nok 1 - links of netlab # skip skipped, because this kernel has no /dev/net/tun")
        return 0
    failed = 0
    print(f"1..{len(CASES)}", flush=True)
    for number, case in enumerate(CASES, 1):
        started = time.monotonic()
        name = case.__name__.replace("_", " ")
        try:
            case()
            print(f"ok {number} - {name} # {time.monotonic() - started:.1f} s", flush=True)
        except Exception:  # a case that breaks fails
            failed += 1
            print(f"not ok {number} - {name}\n" + "".join(f"#   {line}\n" for line in traceback.format_exc().splitlines()),
                  end="", flush=True)
    return 1 if failed else 0


sys.exit(main())

#include "bench/bench_options.h"

#include "bench/content.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMN = 26, DEFAULT_VERIFY = 10 };

enum option_type { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER, OPTION_PROFILE, OPTION_HEADING };

struct option_row {
    const char *name, *argument;
    enum option_type type;
    size_t member;
    int64_t min, max; /* of a NUMBER */
    const char *help;
};

/* What the command line has and the struct holds in another form. */
struct raw_options {
    struct bench_options o;
    int64_t subscribers, publishers, rooms; /* -1: not given */
    bool no_audio, no_video;
};

const char *target_kind_name(enum target_kind kind)
{
    static const char *const names[] = {
        [TARGET_SLUICE] = "sluice",
        [TARGET_WHIP] = "whip",
        [TARGET_JANUS] = "janus",
    };

    return names[kind];
}

static int complain(char *error, const char *format, ...) PRINTF_LIKE(2, 3);
static int complain(char *error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(error, BENCH_OPTIONS_ERROR_MAX + 1, format, args);
    va_end(args);
    return -EINVAL;
}

#define AT(name) offsetof(struct raw_options, name)
#define HEADING(text)                             \
    {                                             \
        NULL, text, OPTION_HEADING, 0, 0, 0, NULL \
    }

static const struct option_row table[] = {
    HEADING("Server, one of"),
    {"sluice", "URL", OPTION_TEXT, AT(o.sluice), 0, 0, "ws://HOST:PORT of a sluice server"},
    {"whip", "URL", OPTION_TEXT, AT(o.whip), 0, 0,
     "http://HOST:PORT/PATH that publishers post to; {room} in it is\n"
     "the room's name, or else it is appended"},
    {"whep", "URL", OPTION_TEXT, AT(o.whep), 0, 0, "the same for subscribers; goes with --whip"},
    {"janus", "URL", OPTION_TEXT, AT(o.janus), 0, 0,
     "ws://HOST:PORT of Janus with the VideoRoom plugin; not on loopback"},
    {"server-pid", "PID", OPTION_NUMBER, AT(o.server_pid), 1, INT32_MAX,
     "its process, to measure CPU time, memory and system calls"},
    HEADING("Load"),
    {"subscribers", "N", OPTION_NUMBER, AT(subscribers), 0, SCENARIO_MAX_ENDPOINTS, "of each room"},
    {"publishers", "K", OPTION_NUMBER, AT(publishers), 1, 1000,
     "of each room: speakers of audio, participants of meeting and idle"},
    {"rooms", "M", OPTION_NUMBER, AT(rooms), 1, SCENARIO_MAX_ENDPOINTS, "rooms"},
    {"bitrate", "BPS", OPTION_NUMBER, AT(o.bitrate_bps), 10000, 50000000,
     "of one video stream; default 1500000"},
    {"fps", "N", OPTION_NUMBER, AT(o.fps), 1, 240, "frames per second of video; default 30"},
    {"audio-bytes", "N", OPTION_NUMBER, AT(o.audio_bytes), CONTENT_MIN, CONTENT_MAX,
     "payload of one audio packet, 50 a second; default 100"},
    {"no-audio", NULL, OPTION_FLAG, AT(no_audio), 0, 0, "publish video alone"},
    {"no-video", NULL, OPTION_FLAG, AT(no_video), 0, 0, "publish audio alone"},
    {"profile", "NAME", OPTION_PROFILE, AT(o.profile), 0, 0,
     "SRTP: gcm128 (default), gcm256, cm, or any: as the server likes"},
    {"plain", NULL, OPTION_FLAG, AT(o.plain), 0, 0,
     "neither offer nor take RTP header extensions; without it, those that\n"
     "browsers negotiate: mid, transport-wide number, send time, audio level"},
    {"feedback", "MS", OPTION_NUMBER, AT(o.feedback_ms), 0, 1000,
     "where transport-wide numbers are negotiated, subscribers tell so often\n"
     "when packets came; 0: never; default 100"},
    {"no-reports", NULL, OPTION_FLAG, AT(o.no_reports), 0, 0,
     "subscribers send no receiver reports; without it, one a second"},
    {"room", "NAME", OPTION_TEXT, AT(o.room), 0, 0,
     "what names of rooms begin with; default bench"},
    HEADING("Run"),
    {"seconds", "N", OPTION_NUMBER, AT(o.seconds), 1, 3600, "measure so long; default 5"},
    {"warm-up", "N", OPTION_NUMBER, AT(o.warm_up), 0, 3600,
     "seconds between the last one's joining and measuring; default 1"},
    {"concurrency", "N", OPTION_NUMBER, AT(o.concurrency), 1, SCENARIO_MAX_ENDPOINTS,
     "that join at a time; default 16, join-storm: all"},
    {"timeout", "N", OPTION_NUMBER, AT(o.timeout), 1, 3600,
     "seconds for all of them to join; default 30"},
    {"verify", "N", OPTION_NUMBER, AT(o.verify), 0, SCENARIO_MAX_ENDPOINTS,
     "subscribers, evenly spread, whose packets are decrypted and checked\n"
     "byte by byte, and give the delay; default 10"},
    {"count-syscalls", NULL, OPTION_FLAG, AT(o.count_syscalls), 0, 0,
     "count the server's system calls by strace if the kernel does not count\n"
     "them for us, in two seconds before those that are measured"},
    {"largest", NULL, OPTION_FLAG, AT(o.largest), 0, 0,
     "look for the largest broadcast with loss below 0.1 % and delay p99\n"
     "below 20 ms, beginning at --subscribers; needs --verify"},
    {"gro", NULL, OPTION_FLAG, AT(o.gro), 0, 0,
     "let the kernel hand runs of packets to receivers (UDP_GRO): the\n"
     "server's cost is then nearer to that with a network card that cuts runs"},
    {"poll", NULL, OPTION_FLAG, AT(o.poll), 0, 0,
     "never sleep while measuring: the server is not charged for waking this\n"
     "program, as it is not over a network. Needs a core of its own"},
    HEADING("Output"),
    {"json", NULL, OPTION_FLAG, AT(o.json), 0, 0, "one JSON object"},
    {"quiet", NULL, OPTION_FLAG, AT(o.quiet), 0, 0, "no progress on standard error"},
    {"help", NULL, OPTION_FLAG, AT(o.help), 0, 0, "print this"},
    {"version", NULL, OPTION_FLAG, AT(o.version), 0, 0, "print the version"},
};

static const struct option_row *find(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].name && strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0)
            return &table[i];
    }
    return NULL;
}

static int set_number(const struct option_row *row, int64_t *ret, const char *value, char *error)
{
    char *end = NULL;
    long long number;

    errno = 0;
    number = strtoll(value, &end, 10);
    if (end == value || *end || errno || number < row->min || number > row->max)
        return complain(error, "--%s: a number from %lld to %lld", row->name, (long long)row->min,
                        (long long)row->max);
    *ret = number;
    return 0;
}

static int set_profile(enum srtp_profile *ret, const char *value, char *error)
{
    static const struct {
        const char *name;
        enum srtp_profile profile;
    } profiles[] = {
        {"any", SRTP_NONE},
        {"gcm128", SRTP_AEAD_AES_128_GCM},
        {"gcm256", SRTP_AEAD_AES_256_GCM},
        {"cm", SRTP_AES_CM_128_HMAC_SHA1_80},
    };

    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        if (strcmp(profiles[i].name, value) != 0)
            continue;
        *ret = profiles[i].profile;
        return 0;
    }
    return complain(error, "--profile: any, gcm128, gcm256 or cm");
}

static int set(struct raw_options *raw, const struct option_row *row, const char *value,
               char *error)
{
    void *member = (char *)raw + row->member;

    switch (row->type) {
    case OPTION_FLAG:
        *(bool *)member = true;
        break;
    case OPTION_TEXT:
        *(const char **)member = value;
        break;
    case OPTION_NUMBER:
        return set_number(row, member, value, error);
    case OPTION_PROFILE:
        return set_profile(member, value, error);
    case OPTION_HEADING:
        break;
    }
    return 0;
}

static int read_scenario(struct raw_options *raw, const char *name, char *error)
{
    if (raw->o.scenario.kind != SCENARIO_COUNT)
        return complain(error, "two scenarios: %s", name);
    for (int i = 0; i < SCENARIO_COUNT; i++) {
        if (strcmp(scenario_kind_name((enum scenario_kind)i), name) == 0)
            raw->o.scenario.kind = (enum scenario_kind)i;
    }
    if (raw->o.scenario.kind == SCENARIO_COUNT)
        return complain(error, "no scenario is called %s", name);
    return 0;
}

/* @return how many elements of argv it took; -EINVAL */
static int read_option(struct raw_options *raw, int argc, char *const *argv, int i, char *error)
{
    const char *name = strcmp(argv[i], "-h") == 0 ? "help" : argv[i] + 2;
    size_t len = strcspn(name, "=");
    const struct option_row *row = find(name, len);
    bool attached = name[len] == '=';
    const char *value = NULL;

    if (!row)
        return complain(error, "unknown option: %s", argv[i]);
    if (row->type == OPTION_FLAG) {
        if (attached)
            return complain(error, "--%s takes no value", row->name);
    } else if (attached) {
        value = name + len + 1;
    } else if (i + 1 < argc) {
        value = argv[i + 1];
    } else {
        return complain(error, "--%s needs a value: %s", row->name, row->argument);
    }
    if (set(raw, row, value, error) < 0)
        return -EINVAL;
    return value && !attached ? 2 : 1;
}

static int choose_target(struct bench_options *o, char *error)
{
    int n = (o->sluice != NULL) + (o->janus != NULL) + (o->whip != NULL);

    if (o->whep && !o->whip)
        return complain(error, "--whep needs --whip: somebody must publish");
    if (n != 1)
        return complain(error, "name one server: --sluice, --whip and --whep, or --janus");
    o->target = o->sluice ? TARGET_SLUICE : o->whip ? TARGET_WHIP : TARGET_JANUS;
    return 0;
}

static uint32_t given_or(int64_t given, uint32_t preset)
{
    return given < 0 ? preset : (uint32_t)given;
}

static int finish_scenario(struct raw_options *raw, char *error)
{
    static const struct {
        uint32_t publishers, subscribers, rooms;
    } presets[SCENARIO_COUNT] = {
        [SCENARIO_BROADCAST] = {1, 200, 1},  [SCENARIO_MEETING] = {8, 0, 1},
        [SCENARIO_AUDIO] = {10, 50, 1},      [SCENARIO_ROOMS] = {1, 5, 20},
        [SCENARIO_JOIN_STORM] = {1, 200, 1}, [SCENARIO_IDLE] = {10, 0, 100},
    };
    struct scenario *s = &raw->o.scenario;

    if (s->kind == SCENARIO_COUNT)
        return complain(error,
                        "name a scenario: broadcast, meeting, audio, rooms, join-storm or idle");
    s->publishers = given_or(raw->publishers, presets[s->kind].publishers);
    s->subscribers = given_or(raw->subscribers, presets[s->kind].subscribers);
    s->rooms = given_or(raw->rooms, presets[s->kind].rooms);
    s->audio = !raw->no_audio;
    s->video = !raw->no_video && s->kind != SCENARIO_AUDIO;
    s->one_way = raw->o.target != TARGET_SLUICE;
    if (raw->o.largest && (s->kind != SCENARIO_BROADCAST || raw->o.verify == 0))
        return complain(error, "--largest: a broadcast of which something is verified");
    if (!s->audio && !s->video)
        return complain(error, "neither audio nor video is left");
    if (s->kind == SCENARIO_MEETING && s->publishers < 2)
        return complain(error, "--publishers: a meeting needs two");
    if ((uint64_t)s->rooms * ((uint64_t)s->publishers * 2 + s->subscribers) >
        SCENARIO_MAX_ENDPOINTS)
        return complain(error, "more than %d connections", SCENARIO_MAX_ENDPOINTS);
    if (raw->o.target == TARGET_WHIP && !raw->o.whep &&
        scenario_endpoints(s) > scenario_publishers(s))
        return complain(error, "subscribers need --whep");
    if (raw->o.concurrency == 0)
        raw->o.concurrency = s->kind == SCENARIO_JOIN_STORM ? SCENARIO_MAX_ENDPOINTS : 16;
    return 0;
}

int bench_options_parse(struct bench_options *ret, int argc, char *const *argv, char *error)
{
    struct raw_options raw = {
        .o =
            {
                .scenario = {.kind = SCENARIO_COUNT},
                .room = "bench",
                .bitrate_bps = 1500000,
                .fps = 30,
                .audio_bytes = 100,
                .seconds = 5,
                .warm_up = 1,
                .timeout = 30,
                .feedback_ms = 100,
                .verify = DEFAULT_VERIFY,
                .profile = SRTP_AEAD_AES_128_GCM,
            },
        .subscribers = -1,
        .publishers = -1,
        .rooms = -1,
    };
    int i = 1;
    int err = 0;

    while (i < argc) {
        int taken = argv[i][0] == '-' && argv[i][1] != '\0'
                        ? read_option(&raw, argc, argv, i, error)
                        : (read_scenario(&raw, argv[i], error) < 0 ? -EINVAL : 1);

        if (taken < 0)
            return taken;
        i += taken;
    }
    if (!raw.o.help && !raw.o.version) {
        err = choose_target(&raw.o, error);
        if (err == 0)
            err = finish_scenario(&raw, error);
    }
    if (err < 0)
        return err;
    *ret = raw.o;
    return 0;
}

/* Further lines of the help stand under the first one. */
static void help_row(struct text *out, const struct option_row *row)
{
    char left[64];

    if (row->type == OPTION_HEADING) {
        text_printf(out, "\n%s:\n", row->argument);
        return;
    }
    (void)snprintf(left, sizeof(left), "  --%s %s", row->name, row->argument ? row->argument : "");
    text_printf(out, "%-*s", HELP_COLUMN, left);
    for (const char *at = row->help; at;) {
        const char *end = strchr(at, '\n');

        text_append_n(out, at, end ? (size_t)(end - at) : strlen(at));
        text_append(out, "\n");
        at = end ? end + 1 : NULL;
        if (at)
            text_printf(out, "%*s", HELP_COLUMN, "");
    }
}

void bench_options_help(struct text *out)
{
    text_append(
        out,
        "sluice-bench - puts load on a media server and measures what a packet costs it\n"
        "\n"
        "usage: sluice-bench SCENARIO --sluice URL | --whip URL --whep URL | --janus URL [options]\n"
        "\n"
        "Scenarios:\n"
        "  broadcast   one publisher, 200 subscribers: video and audio\n"
        "  meeting     8 publishers who receive each other\n"
        "  audio       10 speakers, 50 listeners who receive them all: audio alone\n"
        "  rooms       20 rooms of one publisher and 5 subscribers\n"
        "  join-storm  as broadcast, but the subscribers join all at once\n"
        "  idle        100 rooms of 10 who offer to send video and audio and to receive one of\n"
        "              each, and send nothing but consent checks: what a participant costs in\n"
        "              memory\n");
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        help_row(out, &table[i]);
    text_append(
        out,
        "\n"
        "Examples:\n"
        "  What does a packet cost a sluice server of this machine? Server on one core, load on\n"
        "  the other:\n"
        "    taskset -c 0 sluice --workers 1 &\n"
        "    taskset -c 1 sluice-bench broadcast --sluice ws://127.0.0.1:8080 --server-pid $!\n"
        "  A thousand listeners of three speakers, one line for a script:\n"
        "    sluice-bench audio --sluice ws://127.0.0.1:8080 --publishers 3 --subscribers 1000"
        " --json\n"
        "  Any server with WHIP and WHEP:\n"
        "    sluice-bench rooms --whip http://127.0.0.1:8080/whip --whep"
        " http://127.0.0.1:8080/whep\n"
        "  Janus, which does not listen on loopback:\n"
        "    sluice-bench broadcast --janus ws://192.0.2.1:8188 --server-pid \"$(pidof janus)\"\n"
        "\n"
        "Loss is what subscribers miss of the numbers they see and of what was sent. Delay is from\n"
        "the publisher's sending to the arrival in the subscriber's socket. Figures are of the\n"
        "server only as long as no warning says that this program had too much to do.\n"
        "\n"
        "Exit status: 0 measured; 1 it could not be: the reason is the last line of standard\n"
        "error; 2 wrong usage.\n");
}

#include "client/options.h"

#include "client/call.h"
#include "client/opus_codec.h"
#include "media/base/log.h"
#include "signaling/message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMN = 26, DEFAULT_AUDIO_SLOTS = 8, DEFAULT_VIDEO_SLOTS = 4, MAX_FOR_S = 604800 };

static const int64_t DEFAULT_BITRATE_BPS = 32000;

struct option_row {
    const char *name;     /* NULL: a heading, in `argument` */
    const char *argument; /* of the help; NULL: a flag */
    /* Reads `value` into `o`. NULL: a flag, or a string kept as it is. @return 0; -EINVAL, with
     * `error` set */
    int (*read)(struct options *o, void *member, const char *value, char *error);
    size_t member; /* offset in struct options */
    const char *help;
};

static int complain(char *error, const char *message)
{
    (void)snprintf(error, OPTIONS_ERROR_MAX + 1, "%s", message);
    return -EINVAL;
}

static bool has_scheme(const char *url, const char *scheme)
{
    return strncmp(url, scheme, strlen(scheme)) == 0;
}

/* "host:8080", "http://host:8080" and "ws://host:8080/ws" are all one; https is wss. */
static int read_server(struct options *o, void *member, const char *value, char *error)
{
    bool secure = has_scheme(value, "wss://") || has_scheme(value, "https://");
    const char *rest = strstr(value, "://");
    int len;

    (void)member;
    if (rest && !secure && !has_scheme(value, "ws://") && !has_scheme(value, "http://"))
        return complain(error, "--server: the URL must begin with ws:// or wss://");
    rest = rest ? rest + 3 : value;
    if (rest[0] == '\0')
        return complain(error, "--server: no host in the URL");
    len = snprintf(o->server, sizeof(o->server), "%s://%s%s", secure ? "wss" : "ws", rest,
                   !strchr(rest, '/')              ? "/ws"
                   : rest[strlen(rest) - 1] == '/' ? "ws"
                                                   : "");
    if (len < 0 || (size_t)len >= sizeof(o->server))
        return complain(error, "--server: the URL is too long");
    return 0;
}

static int read_room(struct options *o, void *member, const char *value, char *error)
{
    (void)member;
    if (!room_name_valid(value))
        return complain(error, "--room: 1 to 64 letters, digits and . _ ~ -");
    o->room = value;
    return 0;
}

static int read_mode(struct options *o, void *member, const char *value, char *error)
{
    (void)member;
    o->direct_room = strcmp(value, "direct") == 0;
    if (!o->direct_room && strcmp(value, "sfu") != 0)
        return complain(error, "--mode: direct or sfu");
    return 0;
}

static int read_name(struct options *o, void *member, const char *value, char *error)
{
    (void)member;
    if (strlen(value) > MESSAGE_NAME_MAX)
        return complain(error, "--name: at most 64 bytes");
    o->name = value;
    return 0;
}

/* @return true if all of `value` is a number from `min` to `max` */
static bool read_number(const char *value, int64_t min, int64_t max, int64_t *ret)
{
    char *end = NULL;
    long long number;

    errno = 0;
    number = strtoll(value, &end, 10);
    if (end == value || *end || errno || number < min || number > max)
        return false;
    *ret = number;
    return true;
}

static int read_bitrate(struct options *o, void *member, const char *value, char *error)
{
    (void)o;
    if (!read_number(value, OPUS_MIN_BPS, OPUS_MAX_BPS, member))
        return complain(error, "--bitrate: bit/s from 6000 to 510000");
    return 0;
}

static int read_loss(struct options *o, void *member, const char *value, char *error)
{
    (void)o;
    if (!read_number(value, 0, 100, member))
        return complain(error, "--loss-perc: percent from 0 to 100");
    return 0;
}

static int read_slots(struct options *o, void *member, const char *value, char *error)
{
    static const char message[] = "--slots: AUDIO or AUDIO,VIDEO, each from 0 to 60";
    char audio[8];
    size_t audio_len = strcspn(value, ",");

    (void)member;
    if (audio_len >= sizeof(audio))
        return complain(error, message);
    memcpy(audio, value, audio_len);
    audio[audio_len] = '\0';
    if (!read_number(audio, 0, CALL_MAX_SLOTS, &o->audio_slots))
        return complain(error, message);
    if (value[audio_len] == ',' &&
        !read_number(value + audio_len + 1, 0, CALL_MAX_SLOTS, &o->video_slots))
        return complain(error, message);
    return 0;
}

/* Step over `before` (0: nothing) and the number behind it, which is from 1 to `max`. */
static bool step_over(const char **at, char before, int64_t max, uint16_t *ret)
{
    char digits[8];
    int64_t number;
    size_t len;

    if (before && **at != before)
        return false;
    *at += before != 0;
    len = strspn(*at, "0123456789");
    if (len >= sizeof(digits))
        return false;
    memcpy(digits, *at, len);
    digits[len] = '\0';
    if (!read_number(digits, 1, max, &number))
        return false;
    *ret = (uint16_t)number;
    *at += len;
    return true;
}

static int read_view(struct options *o, void *member, const char *value, char *error)
{
    struct message_view *view = &o->view;
    bool good;

    (void)member;
    *view = (struct message_view){0};
    o->has_view = true;
    view->paused = strcmp(value, "none") == 0;
    if (view->paused)
        return 0;
    good = step_over(&value, 0, MESSAGE_VIEW_SIDE_MAX, &view->width) &&
           step_over(&value, 'x', MESSAGE_VIEW_SIDE_MAX, &view->height) &&
           (*value == '\0' || step_over(&value, '@', MESSAGE_VIEW_FPS_MAX, &view->fps)) &&
           *value == '\0';
    return good ? 0 : complain(error, "--view: WIDTHxHEIGHT, WIDTHxHEIGHT@FPS or none");
}

static int read_for(struct options *o, void *member, const char *value, char *error)
{
    char *end = NULL;
    double seconds = strtod(value, &end);

    (void)member;
    if (end == value || *end || !(seconds > 0 && seconds <= MAX_FOR_S))
        return complain(error, "--for: seconds, more than 0");
    o->for_s = seconds;
    return 0;
}

static int read_stun(struct options *o, void *member, const char *value, char *error)
{
    (void)member;
    if (ice_url_parse_stun(&o->stun, value) < 0)
        return complain(error, "--stun: HOST or HOST:PORT");
    o->has_stun = true;
    return 0;
}

static int read_turn(struct options *o, void *member, const char *value, char *error)
{
    int err = ice_url_parse(&o->turn, value);

    (void)member;
    if (err == -ENOTSUP)
        return complain(error, "--turn: TURN over DTLS is not supported; turns:HOST is TLS");
    if (err < 0 || o->turn.kind == ICE_URL_STUN)
        return complain(error, "--turn: turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT]");
    o->has_turn = true;
    return 0;
}

static int read_token(struct options *o, void *member, const char *value, char *error)
{
    (void)member;
    if (!*value || strlen(value) > MESSAGE_TOKEN_MAX)
        return complain(error, "--token: what sluice token prints, at most 4096 characters");
    o->token = value;
    return 0;
}

static int read_log_level(struct options *o, void *member, const char *value, char *error)
{
    (void)member;
    if (log_level_parse(value) < 0)
        return complain(error, "--log-level: trace, debug, info, warn or error");
    o->log_level = value;
    return 0;
}

#define MEMBER(name) offsetof(struct options, name)

static const struct option_row table[] = {
    {"server", "URL", read_server, 0,
     "ws://HOST:PORT or wss://HOST of the server; default ws://127.0.0.1:8080"},
    {"room", "ROOM", read_room, 0, "room to join (required)"},
    {"name", "NAME", read_name, 0, "what the others see"},
    {"token", "TOKEN", read_token, 0, "what lets us in, where the server asks for it"},
    {NULL, "Direct calls (media from one client to the other, not over the server)", NULL, 0, NULL},
    {"call", "WHO", NULL, MEMBER(callee),
     "call the participant of this name or id, once it is there"},
    {"answer", NULL, NULL, MEMBER(answer), "accept who calls"},
    {"mode", "MODE", read_mode, 0,
     "direct: the room is for two; sfu: as the server has it (default)"},
    {NULL, "Sound", NULL, 0, NULL},
    {"send", "WHAT", NULL, MEMBER(send),
     "a WAV file, tone:FREQUENCY or silence; default: send no sound"},
    {"loop", NULL, NULL, MEMBER(loop), "begin the file again at its end; default: silence follows"},
    {"stereo", NULL, NULL, MEMBER(stereo), "send and record two channels"},
    {"bitrate", "BPS", read_bitrate, MEMBER(bitrate_bps), "of Opus; default 32000, stereo 64000"},
    {"loss-perc", "N", read_loss, MEMBER(loss_percent),
     "loss that Opus prepares for (in-band FEC); default 10; 0: no FEC"},
    {"record", "FILE", NULL, MEMBER(record), "write everybody together into a WAV file"},
    {"record-each", "DIR", NULL, MEMBER(record_each),
     "write everybody into a WAV file of their own, NAME-ID.wav"},
    {NULL, "Video", NULL, 0, NULL},
    {"video", "FILE", NULL, MEMBER(video), "publish the VP8 of an IVF file, over and over"},
    {"receive-video", NULL, NULL, MEMBER(receive_video), "receive VP8 and count its frames"},
    {"record-video", "DIR", NULL, MEMBER(record_video),
     "write received VP8 into IVF files, NAME-ID.ivf"},
    {"view", "WxH[@FPS]", read_view, 0,
     "size in which video is of use; none: do not send it; default: the best"},
    {NULL, "Call", NULL, 0, NULL},
    {"slots", "A[,V]", read_slots, 0,
     "streams received at first: audio, video; default 8,0, with received video 8,4"},
    {"for", "SECONDS", read_for, 0, "leave so long after joining; default: stay until SIGINT"},
    {"stats", NULL, NULL, MEMBER(stats), "print statistics every second"},
    {"json", NULL, NULL, MEMBER(json), "statistics as one JSON object per line"},
    {NULL, "Network", NULL, 0, NULL},
    {"no-reconnect", NULL, NULL, MEMBER(no_reconnect),
     "end when the connection to the server is lost: do not come\nback, nor join anew"},
    {"ca", "FILE", NULL, MEMBER(ca),
     "certificates (PEM) to trust with wss:// and turns:, not the\nsystem's"},
    {"insecure", NULL, NULL, MEMBER(insecure), "take any certificate: for trying things out"},
    {"stun", "HOST[:PORT]", read_stun, 0, "STUN server to learn our public address from"},
    {"turn", "URL", read_turn, 0,
     "TURN server, in place of those the server tells of;\n"
     "turn:HOST[:PORT][?transport=udp|tcp], or turns:HOST[:PORT] for TLS"},
    {"turn-user", "USER", NULL, MEMBER(turn_user), "user name for the TURN server"},
    {"turn-pass", "PASSWORD", NULL, MEMBER(turn_password), "password for the TURN server"},
    {"relay-only", NULL, NULL, MEMBER(relay_only), "use nothing but a TURN server"},
    {"ice-tcp", NULL, NULL, MEMBER(ice_tcp), "try TCP as well as UDP (ICE-TCP)"},
    {NULL, "Other", NULL, 0, NULL},
    {"log-level", "LEVEL", read_log_level, 0, "trace, debug, info, warn or error; default warn"},
    {"help", NULL, NULL, MEMBER(help), "print this"},
    {"version", NULL, NULL, MEMBER(version), "print the version"},
};

static const struct option_row *find(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].name && strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0)
            return &table[i];
    }
    return NULL;
}

static int set(struct options *o, const struct option_row *option, const char *value, char *error)
{
    void *member = (char *)o + option->member;

    if (option->read)
        return option->read(o, member, value, error);
    if (option->argument)
        *(const char **)member = value;
    else
        *(bool *)member = true;
    return 0;
}

/* @return how many elements of argv the option at `i` took; -EINVAL */
static int read_option(struct options *o, int argc, char *const *argv, int i, char *error)
{
    const char *name = argv[i] + 2;
    size_t len;
    const struct option_row *option;
    int err;

    if (strcmp(argv[i], "-h") == 0)
        name = "help";
    else if (strncmp(argv[i], "--", 2) != 0)
        goto unknown;
    len = strcspn(name, "=");
    option = find(name, len);
    if (!option)
        goto unknown;
    if (!option->argument) {
        if (name[len] == '=') {
            (void)snprintf(error, OPTIONS_ERROR_MAX + 1, "--%s takes no value", option->name);
            return -EINVAL;
        }
        return set(o, option, NULL, error) < 0 ? -EINVAL : 1;
    }
    if (name[len] == '=') {
        err = set(o, option, name + len + 1, error);
        return err < 0 ? err : 1;
    }
    if (i + 1 == argc) {
        (void)snprintf(error, OPTIONS_ERROR_MAX + 1, "--%s needs a value: %s", option->name,
                       option->argument);
        return -EINVAL;
    }
    err = set(o, option, argv[i + 1], error);
    return err < 0 ? err : 2;
unknown:
    (void)snprintf(error, OPTIONS_ERROR_MAX + 1, "unknown option: %s", argv[i]);
    return -EINVAL;
}

static int check_media(const struct options *o, char *error)
{
    bool receives_video = o->receive_video || o->record_video;

    if (o->loop && !o->send)
        return complain(error, "--loop is of no use without --send");
    if (o->has_view && !receives_video && o->video_slots <= 0)
        return complain(error, "--view is of no use without --receive-video");
    if ((o->record || o->record_each) && o->audio_slots == 0)
        return complain(error, "--record needs audio slots");
    if (receives_video && o->video_slots == 0)
        return complain(error, "receiving video needs video slots");
    return 0;
}

static int check(struct options *o, char *error)
{
    if (o->help || o->version)
        return 0;
    if (!o->room)
        return complain(error, "--room is missing");
    if (o->has_turn && (!o->turn_user || !o->turn_password))
        return complain(error, "--turn needs --turn-user and --turn-pass");
    if (!o->has_turn && (o->turn_user || o->turn_password))
        return complain(error, "--turn-user and --turn-pass need --turn");
    if (o->direct_room && (o->callee || o->answer))
        return complain(error, "--call and --answer are of no use with --mode direct");
    return check_media(o, error);
}

static void set_defaults(struct options *o)
{
    o->receive_video = o->receive_video || o->record_video;
    o->stats = o->stats || o->json;
    if (o->video_slots < 0)
        o->video_slots = o->receive_video ? DEFAULT_VIDEO_SLOTS : 0;
    if (o->bitrate_bps == 0)
        o->bitrate_bps = o->stereo ? 2 * DEFAULT_BITRATE_BPS : DEFAULT_BITRATE_BPS;
}

int options_parse(struct options *ret, int argc, char *const *argv, char *error)
{
    struct options o = {
        .server = "ws://127.0.0.1:8080/ws",
        .name = "",
        .loss_percent = 10,
        .audio_slots = DEFAULT_AUDIO_SLOTS,
        .video_slots = -1,
        .log_level = "warn",
    };
    int i = 1;
    int err;

    while (i < argc) {
        int taken = read_option(&o, argc, argv, i, error);

        if (taken < 0)
            return taken;
        i += taken;
    }
    err = check(&o, error);
    if (err < 0)
        return err;
    set_defaults(&o);
    *ret = o;
    return 0;
}

static void help_option(struct text *out, const struct option_row *option)
{
    const char *rest = option->help;
    char left[64];

    if (!option->name) {
        text_printf(out, "\n%s:\n", option->argument);
        return;
    }
    (void)snprintf(left, sizeof(left), "--%s %s", option->name,
                   option->argument ? option->argument : "");
    for (;;) { /* each line of the help in its column */
        size_t len = strcspn(rest, "\n");

        text_printf(out, "  %-*s%.*s\n", HELP_COLUMN, left, (int)len, rest);
        if (!rest[len])
            return;
        rest += len + 1;
        left[0] = '\0';
    }
}

void options_help(struct text *out)
{
    text_append(out,
                "sluice-client - joins a room of a sluice server, talks, listens and records\n\n"
                "usage: sluice-client --room ROOM [options]\n\n");
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        help_option(out, &table[i]);
    text_append(
        out,
        "\nExamples:\n"
        "  Say something, again and again:\n"
        "    sluice-client --room demo --name Ada --send speech.wav --loop\n"
        "  Record a minute of everybody, all together and each alone:\n"
        "    sluice-client --room demo --record all.wav --record-each voices --for 60\n"
        "  Is media possible through a TURN server over TCP, and how good?\n"
        "    sluice-client --server ws://sfu.example.org:8080 --room demo --send tone:440 --stats\n"
        "      --turn 'turn:turn.example.org?transport=tcp' --turn-user U --turn-pass P"
        " --relay-only\n"
        "  Publish a picture and keep those of the others:\n"
        "    sluice-client --room demo --video camera.ivf --record-video pictures\n"
        "\n"
        "Recordings begin when we have joined, and silence is written as time passes: all files\n"
        "of one run have the same beginning.\n"
        "\n"
        "Exit status: 0 connected, and media flowed as asked; 1 it did not, the reason is the\n"
        "last line of standard error; 2 wrong usage.\n");
}

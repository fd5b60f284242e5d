/* Rooms on several workers, as threads with sockets: a whole server in this process, and real media
 * through it. What the media must be is tests/loop/test_relay.c's; threads are this file's. */

#include "bench/load.h"
#include "media/base/log.h"
#include "sfu/server.h"
#include "tests/tap.h"

#include <pthread.h>

static struct server *server;
static pthread_t thread;

static void *run_server(void *arg)
{
    (void)arg;
    CHECK_EQ(server_run(server), 0);
    return NULL;
}

static void begin(uint32_t workers, uint32_t room_spread, bool pin_workers)
{
    struct config config;
    struct config_error error;

    config_init(&config);
    (void)snprintf(config.listen_address, sizeof(config.listen_address), "127.0.0.1");
    config.listen_port = 0;
    config.udp_port = 0;
    config.workers = workers;
    config.room_spread = room_spread;
    config.pin_workers = pin_workers;
    log_set_level(LOG_ERROR);
    CHECK_EQ(server_new(&server, &config, &error), 0);
    CHECK_EQ(pthread_create(&thread, NULL, run_server, NULL), 0);
}

static void end(void)
{
    struct server_status status;

    server_stop(server);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    server_status(server, &status);
    CHECK_EQ(status.participants, 0);
    CHECK_EQ(status.rooms, 0);
    server = server_free(server);
}

/* Put load on the server for a moment, then everybody leaves. `arguments` ends with NULL. That
 * nothing is lost on the way is not asked here: threads that wait for a busy machine lose packets
 * in their sockets. tests/loop/test_relay.c asks it, in simulated time. */
static void load_once(const char *const *arguments, uint32_t endpoints)
{
    static struct load_result result;
    struct bench_options options;
    char reason[LOAD_REASON_MAX + 1] = "";
    char url[64];
    int err;
    char *argv[24] = {(char[]){"test"},    (char[]){"--sluice"},  url,
                      (char[]){"--quiet"}, (char[]){"--seconds"}, (char[]){"1"},
                      (char[]){"--fps"},   (char[]){"10"},        (char[]){"--bitrate"},
                      (char[]){"200000"}};
    int argc = 10;

    (void)snprintf(url, sizeof(url), "ws://127.0.0.1:%u", (unsigned)server_port(server));
    for (size_t i = 0; arguments[i]; i++)
        argv[argc++] = strdup(arguments[i]);
    err = bench_options_parse(&options, argc, argv, reason);
    if (err == 0)
        err = load_run(&options, &result, reason);
    if (err < 0)
        printf("# %s\n", reason);
    CHECK_EQ(err, 0);
    while (argc > 10)
        free(argv[--argc]);
    printf("# %" PRIu64 " packets, %" PRIu64 " lost\n", result.packets, result.lost);
    CHECK_EQ(result.connected, endpoints);
    CHECK_EQ(result.findings.wrong, 0);
    CHECK(result.findings.packets > 0);
}

static void load(const char *const *arguments, uint32_t endpoints, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++)
        load_once(arguments, endpoints);
}

static void all_who_meet_on_three_workers_receive_each_other(void)
{
    static const char *const meeting[] = {"meeting", "--publishers", "7", "--verify", "7", NULL};

    begin(3, 1, false);
    load(meeting, 7, 3); /* the room comes and goes */
    end();
}

static void one_is_received_on_every_worker(void)
{
    static const char *const broadcast[] = {"broadcast", "--subscribers", "12", "--verify", "12",
                                            NULL};

    begin(3, 2, false);
    load(broadcast, 13, 2);
    end();
}

static void many_rooms_are_on_every_worker(void)
{
    static const char *const rooms[] = {
        "rooms", "--rooms", "4", "--publishers", "1", "--subscribers", "4", "--verify", "16", NULL};

    begin(2, 1, true);
    load(rooms, 20, 1);
    end();
}

TAP_CASES(CASE(all_who_meet_on_three_workers_receive_each_other),
          CASE(one_is_received_on_every_worker), CASE(many_rooms_are_on_every_worker))

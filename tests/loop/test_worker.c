/* The worker as a thread: mail from many threads, a real socket, an orderly end. */

#include "sfu/worker.h"

#include "media/base/clock.h"
#include "media/dtls.h"
#include "media/ice_lite.h"
#include "media/tcp_frame.h"
#include "sfu/mail.h"
#include "tests/stun_request.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 4, JOINS_EACH = 25, WAIT_S = 10 };

/** Control's side: counts what comes, and wakes who waits for it. */
struct control {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t gone, failed, stopped;
    struct worker *worker;
    struct dtls_identity *identity;
};

static void on_post(void *owner, struct mail *mail)
{
    struct control *c = owner;

    (void)pthread_mutex_lock(&c->lock);
    c->gone += mail->type == MAIL_GONE;
    c->failed += mail->type == MAIL_STATE && ((struct mail_state *)mail)->state == PEER_FAILED;
    c->stopped += mail->type == MAIL_STOPPED;
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
    mail_free(mail);
}

static bool wait_for(struct control *c, const uint32_t *count, uint32_t wanted)
{
    struct timespec until = {.tv_sec = clock_wall_us() / SECOND + WAIT_S};
    bool reached;
    int err = 0;

    (void)pthread_mutex_lock(&c->lock);
    while (*count < wanted && err == 0)
        err = pthread_cond_timedwait(&c->changed, &c->lock, &until);
    reached = *count == wanted;
    (void)pthread_mutex_unlock(&c->lock);
    return reached;
}

static void start(struct control *c)
{
    struct worker_config config = {.address = "127.0.0.1", .limits = forwarder_default_limits};
    struct worker_handler handler = {.post = on_post};

    *c = (struct control){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    CHECK_EQ(dtls_identity_new(&c->identity), 0);
    config.identity = c->identity;
    CHECK_EQ(worker_new(&c->worker, &config, &handler, c), 0);
    CHECK(worker_port(c->worker) > 0);
    CHECK(worker_buffer_bytes(c->worker) > 0);
    CHECK_EQ(worker_start(c->worker), 0);
}

static void finish(struct control *c)
{
    c->worker = worker_free(c->worker);
    c->identity = dtls_identity_free(c->identity);
}

static struct mail *join_of(uint32_t participant)
{
    struct mail_join *mail = calloc(1, sizeof(*mail));

    CHECK(mail != NULL);
    mail->plan = calloc(1, sizeof(*mail->plan));
    CHECK(mail->plan != NULL);
    mail->mail.type = MAIL_JOIN;
    mail->participant = participant;
    mail->room = 1 + participant % 3;
    (void)snprintf(mail->ufrag, sizeof(mail->ufrag), "u%07u", participant);
    (void)snprintf(mail->pwd, sizeof(mail->pwd), "ourpasswordofthirtycharacters1");
    (void)snprintf(mail->plan->ufrag, sizeof(mail->plan->ufrag), "them");
    (void)snprintf(mail->plan->pwd, sizeof(mail->plan->pwd), "theirpasswordofmanycharacters2");
    (void)snprintf(mail->plan->fingerprint.hash, sizeof(mail->plan->fingerprint.hash), "sha-256");
    mail->plan->fingerprint.len = 32;
    return &mail->mail;
}

static struct mail *mail_of(enum mail_type type, uint32_t participant)
{
    struct mail_participant *mail = calloc(1, sizeof(*mail));

    CHECK(mail != NULL);
    mail->mail.type = (int)type;
    mail->participant = participant;
    return &mail->mail;
}

struct poster {
    struct control *control;
    uint32_t first;
    pthread_t thread;
};

static void *join_and_leave(void *owner)
{
    struct poster *p = owner;

    for (uint32_t i = 0; i < JOINS_EACH; i++)
        worker_post(p->control->worker, join_of(p->first + i));
    for (uint32_t i = 0; i < JOINS_EACH; i++)
        worker_post(p->control->worker, mail_of(MAIL_LEAVE, p->first + i));
    return NULL;
}

static void mail_of_many_threads_is_all_answered(void)
{
    struct control c;
    struct poster posters[THREADS];
    struct forwarder_stats stats;

    start(&c);
    for (uint32_t i = 0; i < THREADS; i++) {
        posters[i] = (struct poster){.control = &c, .first = 1 + i * JOINS_EACH};
        CHECK_EQ(pthread_create(&posters[i].thread, NULL, join_and_leave, &posters[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(posters[i].thread, NULL), 0);
    CHECK(wait_for(&c, &c.gone, THREADS * JOINS_EACH));
    worker_post(c.worker, mail_of(MAIL_STOP, 0));
    CHECK(wait_for(&c, &c.stopped, 1));
    worker_stop(c.worker);
    worker_stats(c.worker, &stats);
    CHECK_EQ(stats.joined, THREADS * JOINS_EACH);
    CHECK_EQ(stats.left, THREADS * JOINS_EACH);
    CHECK_EQ(worker_load(c.worker), 0);
    CHECK_EQ(c.failed, 0);
    finish(&c);
}

static int connect_to(const struct control *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(worker_port(c->worker))};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(fd >= 0);
    CHECK_EQ(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void checks_are_answered_over_the_socket(void)
{
    struct control c;
    uint8_t data[STUN_REQUEST_MAX];
    struct stun_request request = {
        .username = "u0000007:them",
        .password = "ourpasswordofthirtycharacters1",
        .use_candidate = true,
    };
    size_t len = stun_request_write(data, &request);
    struct pollfd ready = {.events = POLLIN};
    struct stun_reply reply;
    ssize_t n;

    start(&c);
    worker_post(c.worker, join_of(7));
    ready.fd = connect_to(&c);
    for (int i = 0; i < 100 && !(ready.revents & POLLIN); i++) { /* the mail may come second */
        CHECK_EQ(write(ready.fd, data, len), (ssize_t)len);
        CHECK(poll(&ready, 1, 100) >= 0);
    }
    n = read(ready.fd, data, sizeof(data));
    CHECK(n > 0);
    CHECK_EQ(stun_reply_read(&reply, data, (size_t)n, request.password), 0);
    CHECK(reply.success && reply.integrity);
    (void)close(ready.fd);
    finish(&c); /* with a participant, and without a word */
}

static struct worker *pair[2];

static void pass_on(void *owner, uint32_t worker, struct mail *mail)
{
    (void)owner;
    worker_post(pair[worker], mail);
}

/* Two workers, of which the first listens for both. */
static void start_pair(struct control *c)
{
    struct worker_config config = {.address = "127.0.0.1",
                                   .limits = forwarder_default_limits,
                                   .n_workers = 2,
                                   .max_tcp = 10,
                                   .max_tcp_per_address = 10};
    struct worker_handler handler = {.post = on_post, .send_to_worker = pass_on};

    *c = (struct control){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    CHECK_EQ(dtls_identity_new(&c->identity), 0);
    config.identity = c->identity;
    for (config.index = 0; config.index < 2; config.index++)
        CHECK_EQ(worker_new(&pair[config.index], &config, &handler, c), 0);
    CHECK_EQ(worker_tcp_port(pair[0]), 0);
    CHECK_EQ(worker_listen_tcp(pair[0], config.address, 0), 0);
    CHECK(worker_tcp_port(pair[0]) > 0);
    for (size_t i = 0; i < 2; i++)
        CHECK_EQ(worker_start(pair[i]), 0);
}

static void finish_pair(struct control *c)
{
    for (size_t i = 0; i < 2; i++)
        worker_stop(pair[i]);
    for (size_t i = 0; i < 2; i++)
        pair[i] = worker_free(pair[i]);
    c->identity = dtls_identity_free(c->identity);
}

/* A connection to the listener that says a check for `username`. @return it */
static int check_over_tcp(const char *username)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(worker_tcp_port(pair[0]))};
    struct stun_request request = {
        .username = username, .password = "ourpasswordofthirtycharacters1", .use_candidate = true};
    uint8_t data[TCP_FRAME_HEAD + STUN_REQUEST_MAX];
    struct timeval limit = {.tv_sec = WAIT_S};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t len = stun_request_write(data + TCP_FRAME_HEAD, &request);

    tcp_frame_head(data, len);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(fd >= 0);
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    CHECK_EQ(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    CHECK_EQ(write(fd, data, TCP_FRAME_HEAD + len), (ssize_t)(TCP_FRAME_HEAD + len));
    return fd;
}

static void check_is_answered(int fd)
{
    uint8_t data[TCP_FRAME_HEAD + STUN_REQUEST_MAX];
    ssize_t n = recv(fd, data, TCP_FRAME_HEAD, MSG_WAITALL);
    struct stun_reply reply;
    size_t len;

    CHECK_EQ(n, TCP_FRAME_HEAD);
    len = (size_t)data[0] << 8 | data[1];
    CHECK(len <= STUN_REQUEST_MAX);
    CHECK_EQ(recv(fd, data, len, MSG_WAITALL), (ssize_t)len);
    CHECK_EQ(stun_reply_read(&reply, data, len, "ourpasswordofthirtycharacters1"), 0);
    CHECK(reply.success && reply.integrity);
}

static void a_tcp_connection_reaches_the_worker_of_its_participant(void)
{
    struct control c;
    struct mail *joins[] = {join_of(1), join_of(2)};
    int fds[2];

    (void)snprintf(((struct mail_join *)joins[0])->ufrag, PLAN_UFRAG_MAX, "A0000001");
    (void)snprintf(((struct mail_join *)joins[1])->ufrag, PLAN_UFRAG_MAX, "B0000002");
    start_pair(&c);
    worker_post(pair[0], joins[0]);
    worker_post(pair[1], joins[1]);
    for (int i = 0; i < 100 * WAIT_S && worker_load(pair[0]) + worker_load(pair[1]) < 2; i++)
        CHECK_EQ(poll(NULL, 0, 10), 0); /* a check that came first would not be answered */
    fds[0] = check_over_tcp("A0000001:them");
    fds[1] = check_over_tcp("B0000002:them");
    for (size_t i = 0; i < 2; i++) {
        check_is_answered(fds[i]);
        CHECK_EQ(close(fds[i]), 0);
    }
    finish_pair(&c);
}

static void a_worker_need_not_be_started(void)
{
    struct control c = {.worker = NULL};
    struct worker_config config = {.address = "127.0.0.1", .limits = forwarder_default_limits};
    struct worker_handler handler = {.post = on_post};

    CHECK_EQ(dtls_identity_new(&c.identity), 0);
    config.identity = c.identity;
    CHECK_EQ(worker_new(&c.worker, &config, &handler, &c), 0);
    worker_post(c.worker, join_of(1));
    finish(&c);
}

static void a_port_in_use_is_said(void)
{
    struct control c;
    struct worker_config config = {.address = "127.0.0.1", .limits = forwarder_default_limits};
    struct worker_handler handler = {.post = on_post};
    struct worker *second = NULL;

    start(&c);
    config.port = worker_port(c.worker);
    config.identity = c.identity;
    CHECK_EQ(worker_new(&second, &config, &handler, &c), -EADDRINUSE);
    finish(&c);
}

TAP_CASES(CASE(a_tcp_connection_reaches_the_worker_of_its_participant),
          CASE(mail_of_many_threads_is_all_answered), CASE(checks_are_answered_over_the_socket),
          CASE(a_worker_need_not_be_started), CASE(a_port_in_use_is_said))

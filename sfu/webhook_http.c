#include "sfu/webhook_http.h"

#include "media/base/list.h"

#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_HEADER = 160, MS_PER_S = 1000, US_PER_MS = 1000 };

struct webhook_http {
    CURLM *multi;
    struct event_base *base;
    struct event *timer;
    void (*on_done)(void *owner, void *tag, bool taken);
    void *owner;
    struct list requests;
};

struct request {
    struct list link;
    CURL *easy;
    struct curl_slist *headers;
    void *tag;
};

/** A socket of libcurl that is watched. */
struct watch {
    struct event *event;
};

static void free_request(struct webhook_http *h, struct request *r)
{
    if (r->easy) {
        (void)curl_multi_remove_handle(h->multi, r->easy);
        curl_easy_cleanup(r->easy);
    }
    curl_slist_free_all(r->headers);
    list_unlink(&r->link);
    free(r);
}

static void finish(struct webhook_http *h, const CURLMsg *message)
{
    struct request *r = NULL;
    long status = 0;
    void *tag;
    bool taken;

    (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &r);
    (void)curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
    taken = message->data.result == CURLE_OK && status >= 200 && status < 300;
    tag = r->tag;
    free_request(h, r);
    h->on_done(h->owner, tag, taken);
}

static void finish_all(struct webhook_http *h)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(h->multi, &left))) {
        if (message->msg == CURLMSG_DONE)
            finish(h, message);
    }
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct webhook_http *h = arg;
    int action = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    int running;

    (void)curl_multi_socket_action(h->multi, fd, action, &running);
    finish_all(h);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct webhook_http *h = arg;
    int running;

    (void)fd;
    (void)what;
    (void)curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_all(h);
}

static void free_watch(struct watch *w)
{
    if (w && w->event)
        event_free(w->event);
    free(w);
}

/* libcurl wants to know when `fd` can be read or written, or no more. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *watch)
{
    struct webhook_http *h = arg;
    struct watch *w = watch;
    short events = (short)((what & CURL_POLL_IN ? EV_READ : 0) |
                           (what & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);

    (void)easy;
    if (w) {
        (void)curl_multi_assign(h->multi, fd, NULL);
        free_watch(w);
    }
    if (what == CURL_POLL_REMOVE)
        return 0;
    w = calloc(1, sizeof(*w));
    if (w)
        w->event = event_new(h->base, fd, events, on_socket, h);
    if (!w || !w->event || event_add(w->event, NULL) < 0) {
        free_watch(w);
        return -1; /* the request fails, and is tried again */
    }
    (void)curl_multi_assign(h->multi, fd, w);
    return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct webhook_http *h = arg;
    struct timeval wait = {.tv_sec = timeout_ms / MS_PER_S,
                           .tv_usec = timeout_ms % MS_PER_S * US_PER_MS};

    (void)multi;
    if (timeout_ms < 0)
        (void)event_del(h->timer);
    else
        (void)event_add(h->timer, &wait);
    return 0;
}

int webhook_http_new(struct webhook_http **ret, struct event_base *base,
                     void (*on_done)(void *owner, void *tag, bool taken), void *owner)
{
    struct webhook_http *h = calloc(1, sizeof(*h));

    if (!h)
        return -ENOMEM;
    list_init(&h->requests);
    h->base = base;
    h->on_done = on_done;
    h->owner = owner;
    h->timer = evtimer_new(base, on_timer, h);
    h->multi = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_multi_init() : NULL;
    if (!h->timer || !h->multi) {
        webhook_http_free(h);
        return -ENOMEM;
    }
    (void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    (void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    (void)curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    *ret = h;
    return 0;
}

struct webhook_http *webhook_http_free(struct webhook_http *h)
{
    if (!h)
        return NULL;
    LIST_FOREACH_SAFE(link, &h->requests) {
        free_request(h, CONTAINER_OF(link, struct request, link));
    }
    if (h->multi)
        (void)curl_multi_cleanup(h->multi);
    if (h->timer)
        event_free(h->timer);
    free(h);
    return NULL;
}

/* As libcurl declares it. NOLINTNEXTLINE(readability-non-const-parameter) */
static size_t ignore_body(char *data, size_t size, size_t n, void *arg)
{
    (void)data;
    (void)arg;
    return size * n;
}

static bool add_header(struct request *r, const char *header)
{
    struct curl_slist *longer = curl_slist_append(r->headers, header);

    if (longer)
        r->headers = longer;
    return longer != NULL;
}

static bool add_headers(struct request *r, const struct webhook_post *post)
{
    char signature[MAX_HEADER];

    (void)snprintf(signature, sizeof(signature), "Sluice-Signature: %s", post->signature);
    return add_header(r, "Content-Type: application/json") && add_header(r, "Expect:") &&
           (!post->signature[0] || add_header(r, signature));
}

/* @return false: out of memory, or no URL */
static bool describe(struct request *r, const struct webhook_post *post)
{
    bool ok = curl_easy_setopt(r->easy, CURLOPT_URL, post->url) == CURLE_OK;

    ok = curl_easy_setopt(r->easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK && ok;
    ok = curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers) == CURLE_OK && ok;
    ok = curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE, (long)post->len) == CURLE_OK && ok;
    ok = curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, post->body) == CURLE_OK && ok;
    ok = curl_easy_setopt(r->easy, CURLOPT_USERAGENT, "sluice/" SLUICE_VERSION) == CURLE_OK && ok;
    (void)curl_easy_setopt(r->easy, CURLOPT_PRIVATE, r);
    (void)curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, ignore_body);
    (void)curl_easy_setopt(r->easy, CURLOPT_NOSIGNAL, 1L); /* there are threads */
    (void)curl_easy_setopt(r->easy, CURLOPT_CONNECTTIMEOUT, (long)WEBHOOK_CONNECT_S);
    (void)curl_easy_setopt(r->easy, CURLOPT_TIMEOUT, (long)WEBHOOK_ANSWER_S);
    return ok;
}

int webhook_http_post(struct webhook_http *h, const struct webhook_post *post, void *tag)
{
    struct request *r = calloc(1, sizeof(*r));

    if (!r)
        return -ENOMEM;
    list_append(&h->requests, &r->link);
    r->tag = tag;
    r->easy = curl_easy_init();
    if (!r->easy || !add_headers(r, post) || !describe(r, post) ||
        curl_multi_add_handle(h->multi, r->easy) != CURLM_OK) {
        free_request(h, r);
        return -ENOMEM;
    }
    return 0;
}

void webhook_http_cancel(struct webhook_http *h, const void *tag)
{
    LIST_FOREACH_SAFE(link, &h->requests) {
        struct request *r = CONTAINER_OF(link, struct request, link);

        if (r->tag == tag)
            free_request(h, r);
    }
}

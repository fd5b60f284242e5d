#include "sfu/doctor.h"

#include "media/tcp_socket.h"
#include "sfu/config.h"
#include "tests/certificate.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

enum { DAY_S = 24 * 3600 };

static struct config config;
static struct doctor doctor;
static char *said;
static size_t said_len;

static void set_up(void)
{
    config_init(&config);
    doctor = (struct doctor){.config = &config};
    doctor.out = open_memstream(&said, &said_len);
    CHECK(doctor.out);
}

static void set(const char *key, const char *value)
{
    struct config_error error;

    CHECK_EQ(config_set(&config, key, value, &error), 0);
}

/* @return true if a line of `level` has `word`; ends the run */
static bool says(const char *level, const char *word)
{
    bool found = false;

    CHECK_EQ(fclose(doctor.out), 0);
    for (const char *line = said; *line && !found; line = strchr(line, '\n') + 1) {
        const char *at = strstr(line, word);

        found = strncmp(line, level, strlen(level)) == 0 && at && at < strchr(line, '\n');
    }
    if (!found)
        printf("# no %s with \"%s\" in: %s\n", level, word, said);
    free(said);
    return found;
}

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage ret = {.ss_family = AF_INET};

    CHECK_EQ(inet_pton(AF_INET, text, &((struct sockaddr_in *)&ret)->sin_addr), 1);
    return ret;
}

static void judge(const char *seen, const char *ours)
{
    struct sockaddr_storage public_address = {0};
    struct sockaddr_storage own = address(ours);

    if (seen)
        public_address = address(seen);
    doctor_judge_addresses(&doctor, &public_address, &own, 1);
}

static void an_address_that_the_world_sees_is_well(void)
{
    set_up();
    judge("203.0.113.7", "203.0.113.7");
    CHECK(says("OK", "203.0.113.7"));
}

static void a_nat_without_advertise_fails_and_says_what_to_set(void)
{
    set_up();
    judge("203.0.113.7", "192.168.1.2");
    CHECK_EQ(doctor.n[DOCTOR_FAIL], 1);
    CHECK(says("FAIL", "behind a NAT"));
    set_up();
    set("advertise", "203.0.113.7");
    judge("203.0.113.7", "192.168.1.2");
    CHECK(says("OK", "what the world sees"));
}

static void an_old_address_that_is_advertised_fails(void)
{
    set_up();
    set("advertise", "203.0.113.99");
    judge("203.0.113.7", "192.168.1.2");
    CHECK(says("FAIL", "203.0.113.99"));
}

static void without_a_stun_server_private_addresses_are_a_warning(void)
{
    set_up();
    judge(NULL, "10.0.0.2");
    CHECK(says("WARN", "only private"));
    set_up();
    judge("10.0.0.2", "10.0.0.2"); /* the STUN server stands beside us */
    CHECK(says("WARN", "only private"));
    set_up();
    judge(NULL, "203.0.113.7");
    CHECK(says("OK", "public"));
}

static void a_port_of_another_program_fails(void)
{
    char port[16];
    int fd;

    CHECK_EQ(tcp_socket_listen(&fd, "127.0.0.1", 0), 0);
    (void)snprintf(port, sizeof(port), "%u", (unsigned)tcp_socket_port(fd));
    set_up();
    set("tcp_port", port);
    set("listen", "127.0.0.1:0");
    set("udp_address", "127.0.0.1");
    set("udp_port", "0");
    doctor_check_ports(&doctor);
    CHECK(says("FAIL", "in use by another program"));
    (void)close(fd);
}

static void a_server_that_is_open_to_the_world_is_a_warning(void)
{
    set_up();
    set("listen", ":8080");
    doctor_check_access(&doctor);
    CHECK(says("WARN", "open"));
    set_up();
    set("listen", "127.0.0.1:8080");
    doctor_check_access(&doctor);
    CHECK(says("OK", "this machine"));
    set_up();
    set("keys", "app:0123456789abcdef0123456789abcdef");
    doctor_check_access(&doctor);
    CHECK(says("OK", "token"));
    set_up();
    set("keys", "app:@/nonexistent/key");
    doctor_check_access(&doctor);
    CHECK(says("FAIL", "/nonexistent/key"));
}

static void check_certificate_of(long valid_s)
{
    struct certificate files;

    certificate_init(&files, "DNS:calls.test,IP:192.0.2.1", valid_s);
    set_up();
    set("tls_cert", files.cert_file);
    set("tls_key", files.key_file);
    doctor_check_certificate(&doctor);
    certificate_done(&files);
}

static void a_certificate_is_read_as_clients_will(void)
{
    check_certificate_of(90L * DAY_S);
    CHECK_EQ(doctor.n[DOCTOR_OK], 2);
    CHECK(says("OK", "calls.test, 192.0.2.1"));
    check_certificate_of(3L * DAY_S);
    CHECK(says("WARN", "expires soon"));
    check_certificate_of(-DAY_S);
    CHECK(says("FAIL", "expired"));
}

static void a_certificate_that_is_not_there_fails(void)
{
    set_up();
    set("tls_cert", "/nonexistent/cert.pem");
    doctor_check_certificate(&doctor);
    CHECK(says("FAIL", "/nonexistent/cert.pem"));
    set_up();
    set("listen", ":8080");
    doctor_check_certificate(&doctor);
    CHECK(says("WARN", "https"));
}

static void more_connections_than_descriptors_are_a_warning(void)
{
    set_up();
    set("max_connections", "1000000");
    doctor_check_system(&doctor);
    CHECK(says("WARN", "max_connections"));
}

static void a_finding_is_an_object_if_asked_for(void)
{
    set_up();
    doctor.json = true;
    doctor_say(&doctor, DOCTOR_WARN, "a \"topic\"", "do it", "n=%d", 3);
    CHECK(says("{\"level\":\"WARN\",\"topic\":\"a \\\"topic\\\"\",\"message\":\"n=3\","
               "\"remedy\":\"do it\"}",
               "n=3"));
}

static void no_relay_at_all_is_a_warning(void)
{
    set_up();
    doctor_check_turn(&doctor);
    CHECK(says("WARN", "names none"));
}

TAP_CASES(CASE(an_address_that_the_world_sees_is_well),
          CASE(a_nat_without_advertise_fails_and_says_what_to_set),
          CASE(an_old_address_that_is_advertised_fails),
          CASE(without_a_stun_server_private_addresses_are_a_warning),
          CASE(a_port_of_another_program_fails),
          CASE(a_server_that_is_open_to_the_world_is_a_warning),
          CASE(a_certificate_is_read_as_clients_will), CASE(a_certificate_that_is_not_there_fails),
          CASE(more_connections_than_descriptors_are_a_warning),
          CASE(a_finding_is_an_object_if_asked_for), CASE(no_relay_at_all_is_a_warning))

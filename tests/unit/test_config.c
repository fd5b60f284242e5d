#include "sfu/config.h"

#include "tests/tap.h"

#include <errno.h>
#include <unistd.h>

static struct config config;
static struct config_error error;
static enum config_action action;
static const char *no_environment[] = {NULL};

/* Write `text` to a file of its own. */
static const char *write_file(const char *text)
{
    static char path[64];
    int fd;

    (void)snprintf(path, sizeof(path), "/tmp/test_config.XXXXXX");
    fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
    CHECK_EQ(close(fd), 0);
    return path;
}

static int read_text(const char *text)
{
    const char *path = write_file(text);
    int err;

    config_init(&config);
    err = config_read_file(&config, path, &error);
    CHECK_EQ(unlink(path), 0);
    return err;
}

/* Load with flags `argv` (a NULL-terminated list) and an environment. */
static int load(const char *const *argv, const char *const *environment)
{
    int argc = 0;

    while (argv[argc])
        argc++;
    error.message[0] = '\0';
    return config_load(&config, argc, argv, environment, &action, &error);
}

static bool says(const char *part)
{
    if (!strstr(error.message, part))
        printf("# \"%s\" does not say \"%s\"\n", error.message, part);
    return strstr(error.message, part);
}

static void no_file_and_no_flag_is_enough(void)
{
    const char *argv[] = {"sluice", NULL};

    CHECK_EQ(load(argv, no_environment), 0);
    CHECK_EQ(action, CONFIG_RUN);
    CHECK_STR(config.listen_address, "127.0.0.1");
    CHECK_EQ(config.listen_port, 8080);
    CHECK_EQ(config.udp_port, 7882);
    CHECK_EQ(config.workers, 0);
    CHECK_EQ(config.room_spread, 24);
    CHECK(!config.pin_workers);
    CHECK(config.audio_red);
    CHECK_EQ(config.advertise.n, 0);
    CHECK_EQ(config.log_level, LOG_INFO);
    CHECK_EQ(config.log_format, LOG_TEXT);
    CHECK_STR(config.web_root, "");
}

static void webhooks_are_urls_and_need_a_secret(void)
{
    config_init(&config);
    CHECK_EQ(config_set(&config, "webhooks", "https://a.example/x,http://b.example/", &error), 0);
    CHECK_EQ(config.webhooks.n, 2);
    CHECK_EQ(config_set(&config, "webhooks", "ftp://a.example/x", &error), -EINVAL);
    CHECK_EQ(config_set(&config, "webhooks", "https://", &error), -EINVAL);
    CHECK_EQ(config_check(&config, &error), -EINVAL);
    CHECK(strstr(error.message, "webhook_secret"));
    CHECK_EQ(config_set(&config, "webhook_secret", "x", &error), 0);
    CHECK_EQ(config_check(&config, &error), 0);
}

static void the_log_has_two_formats(void)
{
    config_init(&config);
    CHECK_EQ(config_set(&config, "log_format", "json", &error), 0);
    CHECK_EQ(config.log_format, LOG_JSON);
    CHECK_EQ(config_set(&config, "log_format", "xml", &error), -EINVAL);
    CHECK(strstr(error.message, "text or json"));
}

static void flags_go_over_the_environment_and_that_over_the_file(void)
{
    char option[80];
    const char *argv[] = {"sluice", "--max-rooms=3", "--config", option, NULL};
    const char *environment[] = {"SLUICE_MAX_ROOMS=2", "SLUICE_MAX_TRACKS=2", "PATH=/bin", NULL};
    int err;

    (void)snprintf(option, sizeof(option), "%s",
                   write_file("max_rooms: 1\nmax_tracks: 1\nworkers: 1\n"));
    err = load(argv, environment);
    CHECK_EQ(unlink(option), 0);
    CHECK_EQ(err, 0);
    CHECK_EQ(config.max_rooms, 3);
    CHECK_EQ(config.max_tracks, 2);
    CHECK_EQ(config.workers, 1);
}

static void a_switch_is_yes_or_no_in_file_environment_and_flags(void)
{
    char option[80];
    const char *argv[] = {"sluice", "--config", option, NULL};
    const char *flags[] = {"sluice", "--pin-workers", "yes", NULL};
    const char *environment[] = {"SLUICE_PIN_WORKERS=no", NULL};
    int err;

    (void)snprintf(option, sizeof(option), "%s", write_file("pin_workers: yes\n"));
    err = load(argv, no_environment);
    CHECK_EQ(err, 0);
    CHECK(config.pin_workers);
    err = load(argv, environment);
    CHECK_EQ(unlink(option), 0);
    CHECK_EQ(err, 0);
    CHECK(!config.pin_workers);
    CHECK_EQ(load(flags, environment), 0);
    CHECK(config.pin_workers);
}

static void environment_can_name_the_file(void)
{
    char variable[100];
    const char *argv[] = {"sluice", NULL};
    const char *environment[] = {variable, NULL};
    const char *path = write_file("udp_port: 9000\n");

    (void)snprintf(variable, sizeof(variable), "SLUICE_CONFIG=%s", path);
    CHECK_EQ(load(argv, environment), 0);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(config.udp_port, 9000);
}

static void check_listens(const char *flag, const char *value, const char *address)
{
    const char *argv[] = {"sluice", flag, value, NULL};

    CHECK_EQ(load(argv, no_environment), 0);
    CHECK_STR(config.listen_address, address);
    CHECK_EQ(config.listen_port, 8080);
}

static void who_has_keys_or_is_open_serves_everywhere_unasked(void)
{
    check_listens("--keys", "app:0123456789abcdef0123456789abcdef", "::");
    check_listens("--open", "yes", "::");
    check_listens("--open", "no", "127.0.0.1");
    check_listens("--listen", "[::1]:8080", "::1");
}

static void ice_is_lite_or_full(void)
{
    config_init(&config);
    CHECK(!config.ice_full);
    CHECK_EQ(config_set(&config, "ice", "full", &error), 0);
    CHECK(config.ice_full);
    CHECK_EQ(config_set(&config, "ice", "lite", &error), 0);
    CHECK(!config.ice_full);
    CHECK_EQ(config_set(&config, "ice", "light", &error), -EINVAL);
    CHECK(says("must be lite or full"));
}

static void others_come_in_only_by_key_or_by_word(void)
{
    const char *argv[] = {"sluice", "--listen", "192.0.2.1:80", "--open", "no", NULL};

    CHECK_EQ(load(argv, no_environment), -EINVAL);
    CHECK(says("--keys app:") && says("--open yes") && says("--listen 127.0.0.1:80"));
    argv[4] = "yes";
    CHECK_EQ(load(argv, no_environment), 0);
    argv[3] = "--keys";
    argv[4] = "@keys.json";
    CHECK_EQ(load(argv, no_environment), 0);
    CHECK_STR(config.listen_address, "192.0.2.1");
}

static void every_form_of_listen_is_understood(void)
{
    static const struct {
        const char *text, *address;
        uint32_t port;
    } forms[] = {
        {"127.0.0.1:80", "127.0.0.1", 80},
        {"[::1]:8081", "::1", 8081},
        {":9", "::", 9},
        {"8082", "::", 8082},
        {"localhost:7", "127.0.0.1", 7},
        {"[::]:0", "::", 0},
    };
    static const char *const bad[] = {"",        ":",           "::1:80",
                                      "host:80", "1.2.3.4",     "1.2.3.4:65536",
                                      "[::1:80", "1.2.3.4:80x", "1.2.3.4:-1"};

    config_init(&config);
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        CHECK_EQ(config_set(&config, "listen", forms[i].text, &error), 0);
        CHECK_STR(config.listen_address, forms[i].address);
        CHECK_EQ(config.listen_port, forms[i].port);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK_EQ(config_set(&config, "listen", bad[i], &error), -EINVAL);
    CHECK(says("must be ADDR:PORT"));
}

static void the_port_for_tcp_is_that_of_udp_a_number_or_none(void)
{
    config_init(&config);
    CHECK_EQ(config.tcp_port, CONFIG_TCP_AUTO);
    CHECK_EQ(config_set(&config, "tcp_port", "443", &error), 0);
    CHECK_EQ(config.tcp_port, 443);
    CHECK_EQ(config_set(&config, "tcp_port", "no", &error), 0);
    CHECK_EQ(config.tcp_port, 0);
    CHECK_EQ(config_set(&config, "tcp_port", "auto", &error), 0);
    CHECK_EQ(config.tcp_port, CONFIG_TCP_AUTO);
    CHECK_EQ(config_set(&config, "tcp_port", "0", &error), 0);
    CHECK_EQ(config.tcp_port, 0);
    CHECK_EQ(config_set(&config, "tcp_port", "65536", &error), -EINVAL);
    CHECK_EQ(config_set(&config, "tcp_port", "yes", &error), -EINVAL);
    CHECK(says("must be auto, no, or a port"));
}

static void balancers_are_addresses_or_networks(void)
{
    config_init(&config);
    CHECK_EQ(config_set(&config, "proxy_protocol", "10.0.0.0/8,2001:db8::1", &error), 0);
    CHECK_EQ(config.proxy_protocol.n, 2);
    CHECK_STR(config.proxy_protocol.text[0], "10.0.0.0/8");
    CHECK_EQ(config_set(&config, "proxy_protocol", "balancer.example", &error), -EINVAL);
    CHECK(says("must be an address, or a network as 10.0.0.0/8"));
}

static void origins_are_checked(void)
{
    config_init(&config);
    CHECK_EQ(config_set(&config, "allowed_origins", "https://app.example,null,*", &error), 0);
    CHECK_EQ(config.allowed_origins.n, 3);
    CHECK_EQ(config_set(&config, "allowed_origins", "app.example", &error), -EINVAL);
    CHECK(says("must be https://HOST[:PORT]"));
}

static void a_key_needs_its_certificate(void)
{
    config_init(&config);
    CHECK_EQ(config_set(&config, "tls_key", "/etc/sluice/key.pem", &error), 0);
    CHECK_EQ(config_check(&config, &error), -EINVAL);
    CHECK(says("tls_key is of no use without tls_cert"));
    CHECK_EQ(config_set(&config, "tls_cert", "/etc/sluice/cert.pem", &error), 0);
    CHECK_EQ(config_check(&config, &error), 0);
}

static void addresses_to_advertise_add_up_and_flags_replace_them(void)
{
    const char *argv[] = {"sluice", "--advertise", "192.0.2.7", "--advertise=2001:db8::7", NULL};
    const char *plain[] = {"sluice", NULL};
    const char *environment[] = {"SLUICE_ADVERTISE=192.0.2.1,192.0.2.2,192.0.2.3", NULL};

    CHECK_EQ(load(plain, environment), 0);
    CHECK_EQ(config.advertise.n, 3);
    CHECK_STR(config.advertise.text[2], "192.0.2.3");
    CHECK_EQ(load(argv, environment), 0);
    CHECK_EQ(config.advertise.n, 2);
    CHECK_STR(config.advertise.text[0], "192.0.2.7");
    CHECK_STR(config.advertise.text[1], "2001:db8::7");

    CHECK_EQ(config_set(&config, "advertise", "sfu.example", &error), -EINVAL);
    CHECK(says("not a name"));
    while (config.advertise.n < CONFIG_LIST_MAX)
        CHECK_EQ(config_set(&config, "advertise", "192.0.2.9", &error), 0);
    CHECK_EQ(config_set(&config, "advertise", "192.0.2.9", &error), -EINVAL);
    CHECK(says("more than 16"));
}

static void relays_need_a_secret_or_an_account(void)
{
    CHECK_EQ(read_text("ice_servers:\n  - stun:stun.example.org\n  - turn:turn.example.org\n"), 0);
    CHECK_EQ(config_check(&config, &error), -EINVAL);
    CHECK(says("turn_secret"));
    CHECK_EQ(read_text("ice_servers:\n  - turn:turn.example.org\n  - turn:old.example.org ada "
                       "lovelace\nturn_secret: north\nturn_ttl_s: 600\n"),
             0);
    CHECK_EQ(config_check(&config, &error), 0);
    CHECK_EQ(config.ice_servers.n, 2);
    CHECK_STR(config.ice_servers.text[1], "turn:old.example.org ada lovelace");
    CHECK_EQ(config.turn_ttl_s, 600);
}

static void file_with_a_list_and_comments_is_read(void)
{
    CHECK_EQ(read_text("# sluice\n"
                       "listen: \"127.0.0.1:80\"\n"
                       "advertise:\n  - 192.0.2.1\n  - 2001:db8::1\n"
                       "log_level: warn # quiet\n"
                       "web_root: /srv/page\n"),
             0);
    CHECK_STR(config.listen_address, "127.0.0.1");
    CHECK_EQ(config.advertise.n, 2);
    CHECK_STR(config.advertise.text[1], "2001:db8::1");
    CHECK_EQ(config.log_level, LOG_WARN);
    CHECK_STR(config.web_root, "/srv/page");
}

static void mistakes_in_the_file_are_named_with_a_place(void)
{
    CHECK_EQ(read_text("workers: 2\n\nmax_rooms: 3\nmax_romos: 5\n"), -EINVAL);
    CHECK(says("max_romos"));
    CHECK(says("near line 3"));
    CHECK_EQ(read_text("max_rooms: [1, 2]\n"), -EINVAL);
    CHECK(says("near line 1"));
    CHECK_EQ(read_text("max_rooms: 0\n"), -EINVAL);
    CHECK(says("max_rooms is \"0\", but must be a number from 1 to 1000000"));
    CHECK_EQ(read_text("workers: 1\n  bad indent: {\n"), -EINVAL);
    config_init(&config);
    CHECK_EQ(config_read_file(&config, "/nonexistent/sluice.yaml", &error), -EINVAL);
    CHECK(says("No such file"));
}

static void empty_file_changes_nothing(void)
{
    CHECK_EQ(read_text("# all defaults\n"), 0);
    CHECK_EQ(config.max_tracks, 8);
    CHECK_EQ(read_text(""), 0);
    CHECK_EQ(config.max_tracks, 8);
}

static void mistakes_on_the_command_line_are_named(void)
{
    static struct {
        const char *argv[4];
        const char *says;
    } lines[] = {
        {{"sluice", "--frobnicate", "1"}, "there is no option --frobnicate"},
        {{"sluice", "--workers"}, "--workers needs a value"},
        {{"sluice", "--workers", "many"}, "workers is \"many\""},
        {{"sluice", "--workers=65"}, "from 0 to 64"},
        {{"sluice", "8080"}, "\"8080\" is not an option"},
        {{"sluice", "-x"}, "is not an option"},
        {{"sluice", "--log-level=loud"}, "trace, debug, info, warn or error"},
        {{"sluice", "--room-spread=0"}, "room_spread is \"0\""},
        {{"sluice", "--pin-workers=1"}, "pin_workers is \"1\", but must be yes or no"},
        {{"sluice", "--audio-red=on"}, "audio_red is \"on\", but must be auto or off"},
        {{"sluice", "--seal=wax"}, "auto, libipsec-mb or libsrtp2"},
        {{"sluice", "--config", "/nonexistent"}, "cannot be read"},
    };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        CHECK_EQ(load(lines[i].argv, no_environment), -EINVAL);
        CHECK(says(lines[i].says));
    }
}

static void mistakes_in_the_environment_are_named(void)
{
    const char *argv[] = {"sluice", NULL};
    const char *environment[] = {"SLUICE_WORKERS=x", NULL};

    CHECK_EQ(load(argv, environment), -EINVAL);
    CHECK(says("in the environment"));
    CHECK(says("workers is \"x\""));
}

static void help_and_version_win_over_everything(void)
{
    const char *help[] = {"sluice", "--frobnicate", "--help", NULL};
    const char *version[] = {"sluice", "--version", NULL};

    CHECK_EQ(load(help, no_environment), 0);
    CHECK_EQ(action, CONFIG_HELP);
    CHECK_EQ(load(version, no_environment), 0);
    CHECK_EQ(action, CONFIG_VERSION);
}

static void settings_that_contradict_each_other_are_refused(void)
{
    const char *ports[] = {"sluice", "--udp-port=65530", "--workers=8", NULL};
    const char *tracks[] = {"sluice", "--max-sections=4", NULL};

    CHECK_EQ(load(ports, no_environment), -EINVAL);
    CHECK(says("choose one up to 65528"));
    CHECK_EQ(load(tracks, no_environment), -EINVAL);
    CHECK(says("max_sections allows 4"));
}

static void help_names_every_key_once(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    CHECK(out);
    config_print_help(out);
    CHECK_EQ(fclose(out), 0);
    CHECK(strstr(text, "--udp-port N"));
    CHECK(strstr(text, "[7882]"));
    CHECK(strstr(text, "--max-connections-per-address N"));
    free(text);
}

TAP_CASES(CASE(the_port_for_tcp_is_that_of_udp_a_number_or_none),
          CASE(webhooks_are_urls_and_need_a_secret), CASE(the_log_has_two_formats),
          CASE(no_file_and_no_flag_is_enough),
          CASE(flags_go_over_the_environment_and_that_over_the_file),
          CASE(a_switch_is_yes_or_no_in_file_environment_and_flags),
          CASE(environment_can_name_the_file),
          CASE(who_has_keys_or_is_open_serves_everywhere_unasked), CASE(ice_is_lite_or_full),
          CASE(others_come_in_only_by_key_or_by_word), CASE(every_form_of_listen_is_understood),
          CASE(balancers_are_addresses_or_networks), CASE(origins_are_checked),
          CASE(a_key_needs_its_certificate),
          CASE(addresses_to_advertise_add_up_and_flags_replace_them),
          CASE(relays_need_a_secret_or_an_account), CASE(file_with_a_list_and_comments_is_read),
          CASE(mistakes_in_the_file_are_named_with_a_place), CASE(empty_file_changes_nothing),
          CASE(mistakes_on_the_command_line_are_named), CASE(mistakes_in_the_environment_are_named),
          CASE(help_and_version_win_over_everything),
          CASE(settings_that_contradict_each_other_are_refused), CASE(help_names_every_key_once))

#include "signaling/proxy_header.h"

#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#define V2_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static struct proxy_header header;

static ptrdiff_t parse(const char *bytes, size_t len)
{
    header = (struct proxy_header){0};
    return proxy_header_parse(&header, (const uint8_t *)bytes, len);
}

static ptrdiff_t parse_text(const char *text)
{
    return parse(text, strlen(text));
}

static void check_client(const char *address, unsigned port)
{
    char text[INET6_ADDRSTRLEN] = "";
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;

    memcpy(&v4, &header.client, sizeof(v4));
    memcpy(&v6, &header.client, sizeof(v6));
    CHECK(header.known);
    if (header.client.ss_family == AF_INET)
        (void)inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    else
        (void)inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    CHECK_STR(text, address);
    CHECK_EQ(ntohs(header.client.ss_family == AF_INET ? v4.sin_port : v6.sin6_port), port);
}

static void version_1_is_read(void)
{
    static const char v4[] = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET / HTTP/1.1\r\n";
    static const char v6[] = "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n";

    CHECK_EQ(parse_text(v4), strlen(v4) - strlen("GET / HTTP/1.1\r\n"));
    check_client("192.0.2.1", 56324);
    CHECK_EQ(parse_text(v6), strlen(v6));
    check_client("2001:db8::1", 1);
}

static void version_1_may_not_know(void)
{
    CHECK_EQ(parse_text("PROXY UNKNOWN\r\n"), 15);
    CHECK(!header.known);
    CHECK_EQ(parse_text("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\nGET"), 43);
    CHECK(!header.known);
}

static void version_1_is_read_in_pieces(void)
{
    static const char line[] = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";

    for (size_t len = 1; len < sizeof(line) - 1; len++)
        CHECK_EQ(parse(line, len), 0);
    CHECK_EQ(parse(line, sizeof(line) - 1), sizeof(line) - 1);
}

static void bad_lines_are_refused(void)
{
    static const char *const lines[] = {
        "PROXY \r\n",
        "PROXY TCP4\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 7\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\n",
        "PROXY TCP4 192.0.2.256 198.51.100.1 56324 443\r\n",
        "PROXY TCP4 192.0.2.1  198.51.100.1 56324 443\r\n",
        "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.1 56324 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 01 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 -1 443\r\n",
        "PROXY UDP4 192.0.2.1 198.51.100.1 1 443\r\n",
        "PROXY UNKNOWNX\r\n",
        "proxy TCP4 192.0.2.1 198.51.100.1 1 443\r\n",
        "GET / HTTP/1.1\r\n",
        "\x16\x03\x01",
        "\r\n\r\nX",
    };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        CHECK_EQ(parse_text(lines[i]), -EBADMSG);
    CHECK_EQ(parse("PROXY UNKNOWN \0\r\n", 17), -EBADMSG);
}

static void a_line_has_an_end(void)
{
    char line[200];

    memset(line, 'x', sizeof(line));
    memcpy(line, "PROXY UNKNOWN ", 14);
    CHECK_EQ(parse(line, 106), 0);
    CHECK_EQ(parse(line, 107), -EBADMSG);
    memcpy(line + 105, "\r\n", 2);
    CHECK_EQ(parse(line, 107), 107);
}

static void version_2_is_read(void)
{
    static const char v4[] = V2_SIGNATURE "\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x01\xdc\x04\x01"
                                          "\xbb"
                                          "GET";
    static const char v6[] = V2_SIGNATURE "\x21\x21\0\x28"
                                          "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
                                          "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"
                                          "\0\x07\x01\xbb"
                                          "\x04\0\x01\0"; /* something more, of no use */

    for (size_t len = 1; len < 28; len++)
        CHECK_EQ(parse(v4, len), 0);
    CHECK_EQ(parse(v4, sizeof(v4) - 1), 28);
    check_client("192.0.2.1", 56324);
    CHECK_EQ(parse(v6, sizeof(v6) - 2), 0);
    CHECK_EQ(parse(v6, sizeof(v6) - 1), 56);
    check_client("2001:db8::1", 7);
}

static void version_2_may_speak_for_itself(void)
{
    CHECK_EQ(parse(V2_SIGNATURE "\x20\0\0\0", 16), 16);
    CHECK(!header.known);
    CHECK_EQ(parse(V2_SIGNATURE "\x20\x11\0\0", 16), 16);
    CHECK(!header.known);
    CHECK_EQ(parse(V2_SIGNATURE "\x21\x31\0\x02xy", 18), 18); /* AF_UNIX */
    CHECK(!header.known);
}

static void bad_headers_are_refused(void)
{
    CHECK_EQ(parse(V2_SIGNATURE "\x11\x11\0\x0c", 16), -EBADMSG); /* version 1 */
    CHECK_EQ(parse(V2_SIGNATURE "\x22\x11\0\x0c", 16), -EBADMSG); /* no such command */
    CHECK_EQ(parse(V2_SIGNATURE "\x21\x11\0\x0b", 16), -EBADMSG); /* no room for addresses */
    CHECK_EQ(parse(V2_SIGNATURE "\x21\x21\0\x23", 16), -EBADMSG);
}

static void a_header_has_an_end(void)
{
    CHECK_EQ(parse(V2_SIGNATURE "\x21\x11\x07\xf0", 16), 0);
    CHECK_EQ(parse(V2_SIGNATURE "\x21\x11\x07\xf1", 16), -EBADMSG);
}

TAP_CASES(CASE(version_1_is_read), CASE(version_1_may_not_know), CASE(version_1_is_read_in_pieces),
          CASE(bad_lines_are_refused), CASE(a_line_has_an_end), CASE(version_2_is_read),
          CASE(version_2_may_speak_for_itself), CASE(bad_headers_are_refused),
          CASE(a_header_has_an_end))

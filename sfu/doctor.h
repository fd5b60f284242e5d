/**
 * @file doctor.h  `sluice doctor`: looks whether this machine and its surroundings are as a server
 * needs them, and says what to do where they are not. Real I/O, blocking. Thread: main.
 */
#ifndef SFU_DOCTOR_H
#define SFU_DOCTOR_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

struct config;

enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };
/** @return "OK", "WARN" or "FAIL" */
const char *doctor_level_name(enum doctor_level level);

/** A run. */
struct doctor {
    const struct config *config;
    FILE *out;
    bool turn;                   /* relays, too */
    bool json;                   /* an object per line, not text */
    bool insecure;               /* take any certificate of a relay */
    bool running;                /* a sluice was found on the HTTP port */
    const char *ca_file;         /* PEM of whom to trust with TLS; NULL: whom the system does */
    uint32_t n[DOCTOR_FAIL + 1]; /* lines of each level */
};

/** The command. @param argv  argv[0] is its name. @return exit code: 0: nothing failed; 1; 2: wrong
 *  usage or settings */
int doctor_run(int argc, char **argv);

/**
 * Print a finding.
 *
 * @param topic   a word or two: "UDP port 7882"
 * @param remedy  what to do; NULL: nothing
 */
void doctor_say(struct doctor *d, enum doctor_level level, const char *topic, const char *remedy,
                const char *format, ...) PRINTF_LIKE(5, 6);

/** HTTP, UDP and TCP ports. */
void doctor_check_ports(struct doctor *d);
/** Addresses of the interfaces against what the world sees, if a server is there to ask. */
void doctor_check_addresses(struct doctor *d);
/** Who may come in. */
void doctor_check_access(struct doctor *d);
/** The certificate, or that there is none. */
void doctor_check_certificate(struct doctor *d);
/** Socket buffers, descriptors, the clock. */
void doctor_check_system(struct doctor *d);
/** Every relay of `ice_servers`, with a password as clients get it. */
void doctor_check_turn(struct doctor *d);

/** Judge where clients are told to send media.
 *  @param public_address  as a STUN server sees us; family 0: not known
 *  @param ours            addresses of the interfaces, without loopback */
void doctor_judge_addresses(struct doctor *d, const struct sockaddr_storage *public_address,
                            const struct sockaddr_storage *ours, uint32_t n);

/** Ask a STUN server, if settings name one, which address we have.
 *  @return 0; -ENOENT: there is none; -errno */
MUST_USE int doctor_ask_stun(struct doctor *d, struct sockaddr_storage *ret);

#endif

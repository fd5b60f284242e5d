/** @file test_offer.h  Offers for tests, without media behind them. */
#ifndef TESTS_TEST_OFFER_H
#define TESTS_TEST_OFFER_H

#include <stdint.h>

/**
 * Write an offer with one m-line per character: 'a' and 'v' published, 'A' and 'V' slots, '-'
 * stopped video; mids are "0", "1", ...
 *
 * @param version  1 for the first of a connection
 * @return it; free() it
 */
char *test_offer_make(const char *lines, uint64_t version);

#endif

/** @file netem.h  Where the network model was; tests include bench/netem.h. */
#ifndef TESTS_NETEM_H
#define TESTS_NETEM_H

#include "bench/netem.h"

#endif

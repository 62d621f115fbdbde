#!/bin/sh
# What a datagram costs the router with 10, 1,000, 100,000 and a million sessions, on one loop and on two.
#   ./growth.sh [FILE]      FILE: results as tab-separated values, for a plot
# BENCH_SHARED: folder of udpload.c and its Makefile.
exec "$(dirname "$0")/million.sh" growth "$@"

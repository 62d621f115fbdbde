#!/bin/sh
# What a datagram costs the router with 10, 1,000, 100,000 and a million sessions, on one loop and on two. Two minutes or less.
#   ./growth.sh [FILE]      FILE: results are added to it as tab-separated values, for plot.py
#   ./growth.sh profile [LOOPS]     by stage, and the functions that cost more with more sessions; a minute, and perf
# BENCH_SHARED: folder of udpload.c and its Makefile.
exec "$(dirname "$0")/million.sh" growth "$@"

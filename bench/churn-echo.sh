#!/bin/sh
# Echo where every datagram comes from a new peer, so that a session opens and one closes for each: see churn_echo.py.
#   ./churn-echo.sh [prepared] [SECONDS [RATE]]      prepared: 200,000 prepared sessions
# BENCH_SHARED: folder of udpload.c and its Makefile.  ROUTER_BENCH_ENV: settings of the runtime, as in "DOTNET_x=1".
# ROUTER_BENCH_BUILD: folder of a published build, instead of publishing one.
exec "$(dirname "$0")/million.sh" churn_echo "$@"

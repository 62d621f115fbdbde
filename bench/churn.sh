#!/bin/sh
# Pauses of the garbage collector while 100,000 UDP sessions are open and others come and go, access records included.
#   ./churn.sh [SESSIONS [SECONDS]]
#   ./churn.sh mixed [SESSIONS [SECONDS]]    one in 40 lives five times as long; what it weighs on the way
# BENCH_SHARED: folder of udpload.c and its Makefile.  ROUTER_BENCH_ENV: settings of the runtime, as in "DOTNET_x=1".
exec "$(dirname "$0")/million.sh" churn "$@"

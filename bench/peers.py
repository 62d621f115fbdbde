#!/usr/bin/env python3
"""The shared peers.py with the cases that it lacks: datagrams of 1,200 bytes beside those of 64.

  peers.py SHARED_FOLDER [options of run-peers.sh]
"""
import sys

sys.path.insert(0, sys.argv.pop(1))
import peers  # noqa: E402 (it is found in the folder above)

peers.UDP_CASES.update({
    "1x64/1200": ("-s 1 -w 64 -b 1200", 1),
    "1000x1/1200": ("-m addr -s 1000 -w 1 -f 256 -b 1200", 1000),
    "10000x1/1200": ("-m addr -s 10000 -w 1 -f 256 -b 1200", 10000),
})
peers.main()

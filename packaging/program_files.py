#!/usr/bin/env python3
"""Prints the files that the program in a folder needs, a line each: program_files.py FOLDER RID

They are what Router.deps.json lists for a program that finds its runtime on the machine, and the program itself.
"""
import json
import os
import sys


def main():
    folder, rid = sys.argv[1:]
    with open(os.path.join(folder, "Router.deps.json"), encoding="utf-8") as file:
        deps = json.load(file)
    files = {"Router", "Router.dll", "Router.deps.json", "Router.runtimeconfig.json"}
    for library in deps["targets"][deps["runtimeTarget"]["name"]].values():
        for name in library.get("runtime", {}):
            files.add(os.path.basename(name))
        for name, about in library.get("runtimeTargets", {}).items():
            if about.get("rid") == rid:
                files.add(name)
        for name, about in library.get("resources", {}).items():
            files.add(f"{about['locale']}/{os.path.basename(name)}")
    for name in sorted(files):
        if os.path.exists(os.path.join(folder, name)):
            print(name)


main()

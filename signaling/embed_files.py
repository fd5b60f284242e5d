#!/usr/bin/env python3
"""Write a C file with the files of a folder as byte arrays: embed_files.py FOLDER OUTPUT FILE..."""

import hashlib
import os
import sys


def byte_lines(data):
    for at in range(0, len(data), 16):
        yield "    " + " ".join(f"{byte}," for byte in data[at:at + 16])


def main():
    folder, output, *names = sys.argv[1:]
    arrays = []
    rows = []
    for number, name in enumerate(sorted(names)):
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        etag = hashlib.sha256(data).hexdigest()[:20]
        path = name.replace("\\", "\\\\").replace('"', '\\"')
        arrays.append(f"static const unsigned char file_{number}[] = {{\n"
                      + "\n".join(byte_lines(data or b"\0")) + "\n};\n")
        rows.append(f'    {{"{path}", "\\"{etag}\\"", file_{number}, {len(data)}}},')
    with open(output, "w", encoding="utf-8") as out:
        out.write("/* Made by signaling/embed_files.py. */\n")
        out.write('#include "signaling/http_internal.h"\n\n')
        out.write("\n".join(arrays))
        out.write("\nconst struct http_file http_built_in_files[] = {\n")
        out.write("\n".join(rows + ["    {0},"]) + "\n};\n")


if __name__ == "__main__":
    main()

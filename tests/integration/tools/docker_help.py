#!/usr/bin/env python3
"""docker_help.py DOCKER CORACLE docs/docker-compatibility.md: does the page tell the truth of every command and flag?

The page has rows `| COMMAND | same | FLAGS |`, and for what is not the same `| COMMAND --flag | different, refused or not
there | how or why |`. A command that is not there needs no rows for what is below it; "as COMMAND" stands for the flags of
another one. Asked are the help texts of both programs. Prints what is wrong; exit status 1 then.
"""
import re
import subprocess
import sys

FLAG = re.compile(r"^\s+(?:-\w, )?--([a-z0-9][a-z0-9-]*)\b")
KINDS = ("same", "different", "refused", "not there")


def help_of(program, words):
    """(subcommands, flags) of a command, or None if there is no such command"""
    run = subprocess.run([program, *words, "--help"], capture_output=True, text=True, timeout=60)
    if run.returncode != 0:
        return None
    commands, flags, listing = [], set(), False
    for line in run.stdout.splitlines():
        if re.match(r"^[A-Z].*:$", line):
            listing = line.endswith("ommands:")
        elif FLAG.match(line):
            flags.add(FLAG.match(line).group(1))
        elif listing and re.match(r"^  [a-z]", line):
            commands.append(line.split()[0])
    commands = [c for c in commands if not c.endswith("*")]  # those with a star are plugins
    return commands, flags - {"help"}


def tree(program, words=()):
    commands, flags = help_of(program, words)
    found = {" ".join(words): flags} if words else {}
    for command in commands:
        found.update(tree(program, (*words, command)))
    return found


def read_page(path):
    rows = {}
    for line in open(path, encoding="utf-8"):
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 3:
            rows[cells[0].strip("`")] = (cells[1], cells[2])
    return rows


def flags_of_row(rows, command):
    kind, text = rows[command]
    other = re.match(r"as `([a-z ]+)`", text)
    if other:
        command, text = other.group(1), rows[other.group(1)][1]
    named = {f: "same" for f in re.findall(r"`--([a-z0-9-]+)`", text)}
    for row, (row_kind, _) in rows.items():
        if row.startswith(command + " --"):
            named[row[len(command) + 3:]] = row_kind
    return named


def check_command(rows, command, theirs, ours):
    kind = rows[command][0]
    if kind not in KINDS:
        return [f"{command}: {kind} is none of {', '.join(KINDS)}"]
    if kind == "not there":
        return [f"{command}: is there"] if ours is not None else []
    if ours is None:
        return [f"{command}: is not there"]
    wrong, named = [], flags_of_row(rows, command)
    for flag in sorted(theirs):
        there = named.get(flag)
        if there is None:
            wrong.append(f"{command} --{flag}: the page does not tell of it")
        elif (there == "not there") == (flag in ours[1]):
            wrong.append(f"{command} --{flag}: the page says {there}, and help shows {'it' if flag in ours[1] else 'none'}")
    return wrong


def main():
    docker, coracle, page = sys.argv[1:]
    rows, wrong = read_page(page), []
    for command, flags in tree(docker).items():
        above = [c for c in rows if command.startswith(c + " ") and rows[c][0] in ("not there", "different")]
        if above:
            continue
        if command not in rows:
            wrong.append(f"{command}: the page does not tell of it")
        elif not (rows[command][0] != "not there" and help_of(docker, command.split())[0]):  # a group has no flags
            wrong += check_command(rows, command, flags, help_of(coracle, command.split()))
    print("\n".join(wrong))
    return 1 if wrong else 0


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the manual pages of man/ from the public headers, whose comments are the one place where a
function is described, and from docs/DEVIATIONS.md. One page per family: a section of a header (the lines
"/* ---- title ---- */"), or a header that has none. `man.py --check` says whether the pages are up to
date and whether every exported function has one. man/iocp.7 is written by hand."""

import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADERS = ROOT / "include" / "iocp"
SECTION = "3iocp"

# Rows of DEVIATIONS.md that concern a family without naming one of its functions: title of the header (and
# of the section, where it matters), then words to look for in the row's first column.
SUBJECTS = {
    "ioapiset.h": r"order of waiters|concurrency value|cancelling a disk|two overlapped|completion seen|waiting for a port"
                  r"|an OVERLAPPED, an array|descriptor the library has not seen|adopted descriptor",
    "fileapi.h/opening, reading, writing": r"case of names|in a name|`X:|share modes|DELETE_ON_CLOSE|CreateFile:"
                                           r"|security descriptors|engine short|descriptor the library",
    "fileapi.h/attributes and times": r"attributes",
    "fileapi.h/names and directories": r"case of names|in a name|`X:|names that come out",
    "iocp_net.h/start and end, errors": r"WSACleanup",
    "iocp_net.h/sockets": r"numbers of address|options that Linux|WSAIoctl|WSASocket",
    "iocp_net.h/data, overlapped": r"two overlapped|an OVERLAPPED, an array|descriptor the library has not seen",
    "iocp_net.h/events and readiness": r"FD_QOS|connect of a non-blocking",
    "winsock2.h/sockets": r"numbers of address|options that Linux|connect of a non-blocking",
    "mswsock.h/registered I/O": r"registered I/O",
    "mswsock.h": r"accepted by AcceptEx|options set with POSIX",
    "synchapi.h/events": r"named kernel|access rights of",
    "synchapi.h/semaphores": r"named kernel|access rights of",
    "synchapi.h/mutexes": r"named kernel|access rights of",
    "synchapi.h/waitable timers": r"named kernel|access rights of",
    "synchapi.h/critical sections": r"spin counts",
    "processthreadsapi.h/starting and ending threads": r"thread and process ids|exit code",
    "processthreadsapi.h/which thread": r"thread and process ids",
    "handleapi.h": r"handle of a file|values 0, 1|adopted descriptor|named kernel",
    "heapapi.h": r"blocks of HeapCreate|structured exceptions",
    "namedpipeapi.h": r"[Pp]ipe",
    "commapi.h/serial lines: settings": r"`COMn`|share mode|settings at opening|a device that vanishes"
                                        r"|whose time was up|pseudo terminal|XonLim",
    "commapi.h/serial lines: events": r"modem lines, breaks|EV_PERR|a device that vanishes|pseudo terminal|SetCommMask while",
    "commapi.h/serial lines: errors, queues, modem lines": r"modem lines, breaks|a device that vanishes|pseudo terminal",
    "threadpoolapiset.h": r"[Tt]hread pool|callback",
    "winternl.h": r"AFD|[Ww]ait completion|NtCreate",
    "sysinfoapi.h/version": r"version",
    "iocpcrt_stdio.h": r"printf|formats",
    "io.h": r"`_open|_O_|_fdopen",
}

FAMILY_TITLE = {"ioapiset.h": "completion ports, results and cancelling"}
LINKAGE = r"\b(?:WINBASEAPI|WINAPI|WINAPIV|WINSOCK_API_LINKAGE|WSAAPI|PASCAL|NTAPI|APIENTRY|_CRTIMP|IOCP_API|WINUSERAPI|"\
          r"WINADVAPI|NTSYSAPI|NTSYSCALLAPI|WINMMAPI|STRSAFEAPI|IPHLPAPI_DLL_LINKAGE|DECLSPEC_NORETURN)\b"


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def comment_lines(block):
    """The text of a comment, without its stars; indentation is kept."""
    body = re.sub(r"^/\*+ ?|\s*\*+/$", "", block.strip(), flags=re.S)
    lines = [re.sub(r"^ ?\* ?", "", line.rstrip()) if i else line.rstrip()
             for i, line in enumerate(body.split("\n"))]
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def tokens(text):
    """Comments at the margin, declarations that end with ; or }, and blank lines, in order."""
    lines = text.split("\n")
    i = 0
    while i < len(lines):
        line = lines[i]
        if line.startswith("/*"):
            j = i
            while "*/" not in lines[j]:
                j += 1
            yield "comment", "\n".join(lines[i:j + 1]), line.startswith("/* ------")
            i = j + 1
        elif line.startswith("#"):
            while lines[i].endswith("\\"):
                i += 1
            i += 1
            yield "directive", line, False
        elif not line.strip() or re.match(r'IOCP_EXTERN_C_\w+$|extern "C" \{$|\}$', line):
            yield "blank", "", False
            i += 1
        else:
            j, depth = i, 0
            while True:
                depth += lines[j].count("{") - lines[j].count("}")
                if depth <= 0 and re.search(r"[;}]\s*(/\*.*\*/)?$", lines[j]) or j + 1 == len(lines):
                    break
                j += 1
            yield "code", "\n".join(lines[i:j + 1]), False
            i = j + 1


def symbol_of(code):
    symbol = re.search(r"IOCP_SYM\((\w+)\)", code)
    return symbol.group(1) if symbol else ""


def function_of(code):
    """(name, prototype) of a declaration that a program can call, or None."""
    pointer = re.match(r"typedef [^;]*\((?:\w+ )*\*(LPFN_[A-Z]+)\)\(", code)
    if pointer:
        return pointer.group(1), re.sub(r"\s+", " ", re.sub(LINKAGE, "", code)).replace("( *", "(*")
    if code.startswith(("typedef", "struct", "union", "enum", "extern", "IOCP_ASSERT", "IOCP_EXTERN")):
        return None
    symbol = re.search(r"IOCP_SYM\((\w+)\)|__asm__\(\"iocp_(\w+)\"\)", code)
    inline = re.match(r"(?:static inline|FORCEINLINE|IOCP_INLINE)\b", code)
    plain = re.match(r"IOCP_API\b", code)
    if not (symbol or inline or plain):
        return None
    head = re.split(r"\{", code)[0]
    head = re.sub(r"\s*(IOCP_SYM\(\w+\)|__asm__\(\"\w+\"\)|__attribute__\(\(.*?\)\)\)?)", "", head)
    head = re.sub(r"^(static inline|FORCEINLINE|IOCP_INLINE)\b", "", head)
    head = re.sub(r"\s+", " ", re.sub(LINKAGE, "", head)).strip().rstrip(";").strip() + ";"
    named = re.search(r"\b(\w+)\(", head)
    if not named:
        return None
    return named.group(1), head


class Group:
    """A comment and the functions it describes."""

    def __init__(self, lines):
        self.lines = lines
        self.functions = []
        self.symbols = []


class Family:
    def __init__(self, header, title):
        self.header, self.title, self.groups = header, title, []

    def functions(self):
        return [f for g in self.groups for f in g.functions]


def families(path):
    head, family, group = [], None, Group([])
    result = []

    def begin(title):
        nonlocal family, group
        family, group = Family(path.name, title), Group([])
        family.groups.append(group)
        result.append(family)

    begin("")
    for kind, text, rule in tokens(path.read_text()):
        if kind == "comment":
            lines = comment_lines(text)
            if rule:
                begin(re.sub(r"^-+ | -+$", "", lines[0]))
            elif lines and lines[0].startswith("SPDX"):
                continue
            elif not head and lines and lines[0].startswith(path.name + ":"):
                head = lines
            else:
                group = Group(lines)
                family.groups.append(group)
        elif kind == "code":
            found = function_of(text)
            if found:
                group.functions.append(found)
                group.symbols.append(symbol_of(text))
            elif text.startswith(("typedef struct", "struct")):
                group = Group([])
                family.groups.append(group)
    for one in result:
        one.groups = [g for g in one.groups if g.functions]
    return head, [f for f in result if f.functions()]


def base(name, names):
    """CreateEventA and CreateEventW are shown as CreateEvent."""
    if name[-1:] in "AW" and len(name) > 2 and name[-2].islower() | name[-2].isdigit() | (name[-3:-1] in ("Ex",)):
        other = name[:-1] + ("W" if name[-1] == "A" else "A")
        if other in names:
            return name[:-1]
    return name


def unique(items):
    return list(dict.fromkeys(items))


def paragraphs(lines):
    """roff for the text of a comment: paragraphs, '- ' lists, and the two columns of parameters."""
    out, i = [], 0
    fresh = True
    while i < len(lines):
        line = lines[i]
        column = re.match(r"^ {1,4}([\w.,|* ]+?) {2,}(\S.*)$", line) or re.match(r"^ {2}(\w+) (\S.*)$", line)
        if not line.strip():
            fresh = True
            i += 1
        elif column:
            out += [".TP", "\\fI" + escape(column.group(1)) + "\\fR", escape(column.group(2))]
            indent = len(line) - len(line.lstrip())
            i += 1
            while i < len(lines) and len(lines[i]) - len(lines[i].lstrip()) > indent + 2:
                out.append(escape(lines[i].strip()))
                i += 1
            fresh = True
        elif line.lstrip().startswith("- "):
            out += [".IP \\(bu 3", escape(line.strip()[2:])]
            i += 1
            while i < len(lines) and lines[i].startswith("  ") and not lines[i].lstrip().startswith("- "):
                out.append(escape(lines[i].strip()))
                i += 1
            fresh = True
        else:
            if fresh:
                out.append(".PP")
            fresh = False
            out.append(escape(line.strip()))
            i += 1
    return out


ERROR = re.compile(r"\b(ERROR_[A-Z][A-Z0-9_]*|WSA(?:E[A-Z]+|_[A-Z_]+|[A-Z]{4,}_?[A-Z]*)|WAIT_(?:TIMEOUT|IO_COMPLETION|"
                   r"ABANDONED(?:_0)?)|STATUS_[A-Z][A-Z_0-9]*)\b")
NOT_ERRORS = {"ERROR_SUCCESS", "STATUS_PENDING", "WSABUF", "WSADATA", "WSAPROTOCOL_INFO", "WSAOVERLAPPED", "WSAID_",
              "WSAEVENT", "WSAMSG", "WSAPOLLFD", "STATUS_SUCCESS"}


def error_numbers():
    numbers = {}
    for name in ("winerror.h", "ntstatus.h", "winnt.h", "winbase.h", "iocp_net.h"):
        for match in re.finditer(r"#define\s+(\w+)\s+(?:\(\(\w+\))?\(?(0[xX][0-9A-Fa-f]+|\d+)(?:L|U|UL)?\b",
                                 (HEADERS / name).read_text()):
            numbers.setdefault(match.group(1), match.group(2))
    return numbers


def errors_in(lines):
    """(error, reason) as the comment has them: NAME (reason), NAME: reason, or the name alone."""
    text = re.sub(r"\s+", " ", " ".join(line.strip() for line in lines))
    for match in ERROR.finditer(text):
        if match.group(1) in NOT_ERRORS or match.group(1).endswith("_"):
            continue
        rest = text[match.end():]
        reason = re.match(r" ?\(([^()]*(?:\([^()]*\)[^()]*)*)\)", rest) or \
            re.match(r": ([^.;]+)", rest) or re.match(r",? (if [^.;,]+|once [^.;,]+|when [^.;,]+|where [^.;,]+)", rest)
        yield match.group(1), reason.group(1).strip() if reason else ""


def deviations():
    rows, heading = [], ""
    for line in (ROOT / "docs" / "DEVIATIONS.md").read_text().split("\n"):
        if line.startswith("## "):
            heading = line[3:]
        elif line.startswith("| ") and not line.startswith(("| what", "| call", "|---")):
            cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]]
            rows.append((heading, cells))
    return rows


def plain(text):
    return escape(text.replace("`", "").replace("\\|", "|"))


def differences(family, names, rows):
    out, seen = [], set()
    subject = SUBJECTS.get(family.header + "/" + family.title) or SUBJECTS.get(family.header)
    words = re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, sorted(names, key=len, reverse=True))) + r")(?![\w-])")
    for heading, cells in rows:
        if words.search(cells[0]) or subject and re.search(subject, cells[0]):
            out.append(".TP")
            out.append("\\fB" + plain(cells[0]) + "\\fR")
            if heading.startswith("Not there"):
                out.append("Not there: fails with ERROR_CALL_NOT_IMPLEMENTED. Case: " + plain(cells[1]))
            else:
                out.append("Here: " + plain(cells[1]) + ".")
                if len(cells) > 2 and cells[2] not in ("-", ""):
                    out.append("On Windows: " + plain(cells[2]) + ".")
    for group in family.groups:
        text = re.sub(r"\s+", " ", " ".join(line.strip() for line in group.lines))
        for match in re.finditer(r"(?:Differs|Not there yet): (.*?[.:;])(?= |$)", text):
            if match.group(0) not in seen:
                seen.add(match.group(0))
                out += [".TP", "\\fB" + group.functions[0][0] + "\\fR", escape(match.group(1))]
    if not out:
        out = [".PP", "None known."]
    return out + [".PP", "What holds for all functions is in", ".BR iocp (7)."]


def synopsis(family):
    header = "iocp.h" if family.header == "iocp.h" else family.header
    include = "windows.h" if header in WINDOWS else header.replace("iocp_net.h", "winsock2.h")
    out = [".nf", ".B #include <" + include + ">", ".PP"]
    for name, head in family.functions():
        for line in textwrap.wrap(head, 72, subsequent_indent="    ", break_long_words=False):
            out.append(".B \"" + escape(line).replace('"', "\\(dq") + "\"")
    return out + [".fi", ".PP", "Compile and link with", ".BR \"pkg\\-config \\-\\-cflags \\-\\-libs iocp\" ."]


def page(family, head, rows, numbers):
    names = [name for name, _ in family.functions()]
    shown = unique(base(n, names) for n in names)
    first = shown[0]
    title = family.title or re.sub(r"[.:].*", "", FAMILY_TITLE.get(family.header, " ".join(head)[len(family.header) + 2:]))
    title = title or family.header
    out = ['.\\" Written by scripts/man.py from include/iocp/' + family.header + "; do not edit.",
           f'.TH {first.upper()} {SECTION} "" "iocp" "Asynchronous I/O"', ".SH NAME",
           escape(", ".join(shown)) + " \\- " + escape(title), ".SH SYNOPSIS"] + synopsis(family)
    out.append(".SH DESCRIPTION")
    for group in family.groups:
        label = ", ".join(unique(base(n, names) for n, _ in group.functions))
        out += [".SS " + escape(label)]
        out += paragraphs(group.lines) if group.lines else [".PP", "As its page says; see below."]
    common = list(head[1:])
    for at, line in enumerate(common):
        if line.startswith("Page"): # the sources, which come last in a header's comment
            common = common[:at]
            break
    if common:
        out += [".SH NOTES"] + paragraphs(common)
    out.append(".SH ERRORS")
    table = {}
    for group in family.groups:
        label = ", ".join(unique(base(n, names) for n, _ in group.functions))
        for error, reason in errors_in(group.lines):
            table.setdefault(error, []).append(label + (": " + reason if reason else ""))
    for error, reason in errors_in(head):
        table.setdefault(error, []).append("any of them" + (": " + reason if reason else ""))
    for error in sorted(table):
        number = numbers.get(error)
        out += [".TP", "\\fB" + error + "\\fR" + (f" ({number})" if number else ""),
                escape("; ".join(unique(table[error]))) + "."]
    if not table:
        out += [".PP", "None of its own."]
    out.append(".SH DIFFERENCES FROM WINDOWS")
    out += differences(family, unique(names + shown), rows)
    out += [".SH SEE ALSO", ".BR iocp (7)"]
    pages = re.findall(r"learn\.microsoft\.com/[\w./-]+[\w/-]", " ".join(head))
    for url in unique(pages):
        out += [".PP", escape(url)]
    return first, names + shown + [s for g in family.groups for s in g.symbols], "\n".join(out) + "\n"


def make():
    global WINDOWS
    # What windows.h brings in; the rest is included by its own name.
    own = {"winsock2.h", "ws2tcpip.h", "mswsock.h", "iocp_net.h", "iocp_netname.h", "iocp.h", "process.h", "io.h", "direct.h", "conio.h",
           "winternl.h", "strsafe.h", "mstcpip.h", "netioapi.h", "iphlpapi.h", "corecrt.h", "mmsystem.h", "timeapi.h",
           "bcrypt.h", "wincrypt.h"}
    headers = sorted(p for p in HEADERS.glob("*.h") if p.name == p.name.lower()) + [ROOT / "include" / "iocp.h"]
    WINDOWS = {p.name for p in headers} - own
    rows, numbers = deviations(), error_numbers()
    result, covered = {}, set()
    for path in headers:
        if path.name.startswith("wchar"):
            continue
        head, found = families(path)
        for family in found:
            first, names, text = page(family, head, rows, numbers)
            key = first if first not in result else first + "-" + family.header[:-2]
            result[key] = text
            covered.update(names)
    return result, covered


def main():
    pages, covered = make()
    exported = re.findall(r"EXPORT\((\w+),", (ROOT / "src/api/exports.h").read_text())
    missing = [name for name in exported if name not in covered]
    stale = []
    directory = ROOT / "man"
    if "--check" in sys.argv:
        for name, text in pages.items():
            target = directory / f"{name}.{SECTION}"
            if not target.exists() or target.read_text() != text:
                stale.append(name)
        stale += [p.name for p in directory.glob("*." + SECTION) if p.name[:-len(SECTION) - 1] not in pages]
        for name in missing:
            print(f"{name}: no manual page")
        if stale:
            print("man/ is out of date, run scripts/man.py:", ", ".join(stale[:8]))
        sys.exit(bool(stale or missing))
    directory.mkdir(exist_ok=True)
    for old in directory.glob("*." + SECTION):
        old.unlink()
    for name, text in pages.items():
        (directory / f"{name}.{SECTION}").write_text(text)
    print(f"{len(pages)} pages, {len(covered)} names; without a page: {' '.join(missing) or 'none'}")


main()

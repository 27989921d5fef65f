# SPDX-License-Identifier: MIT
# The cases of run.sh, which reads this file.

std_c="assert.h complex.h ctype.h errno.h fenv.h float.h inttypes.h iso646.h limits.h locale.h math.h
setjmp.h signal.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h
stdnoreturn.h string.h time.h uchar.h wchar.h wctype.h"
std_cpp="algorithm any array atomic bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes
climits clocale cmath codecvt complex condition_variable csetjmp csignal cstdarg cstddef cstdint cstdio
cstdlib cstring ctime cuchar cwchar cwctype deque exception execution filesystem forward_list fstream
functional future initializer_list iomanip ios iosfwd iostream istream iterator limits list locale map
memory memory_resource mutex new numeric optional ostream queue random ratio regex scoped_allocator set
shared_mutex sstream stack stdexcept streambuf string string_view strstream system_error thread tuple
type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector"
std_cpp=$(echo $std_cpp | sed 's/ strstream//') # deprecated: it warns by itself
# A standard library without parallel algorithms (no TBB installed) cannot compile <execution>.
echo '#include <execution>' | g++ -std=c++17 -fsyntax-only -x c++ - 2>/dev/null || std_cpp=$(echo $std_cpp | sed 's/ execution//')
posix="fcntl.h pthread.h sched.h semaphore.h dirent.h dlfcn.h poll.h sys/epoll.h sys/eventfd.h sys/ioctl.h
sys/mman.h sys/resource.h sys/select.h sys/stat.h sys/time.h sys/types.h sys/uio.h sys/wait.h unistd.h
strings.h termios.h sys/un.h"
posix_net="sys/socket.h netinet/in.h netinet/tcp.h arpa/inet.h netdb.h net/if.h ifaddrs.h"

# Every header alone, with every spelling. Fragments that say so are left out.
for header in $(cd "$include" && find . -name '*.[hH]' | sed 's|^\./||; s|^iocp/||' | LC_ALL=C sort); do
    file=$include/iocp/$header
    [ -f "$file" ] || file=$include/$header
    grep -q 'IOCP-FRAGMENT' "$file" && continue
    includes "$header" | both "alone: $header"
    [ -f "$include/iocp/$header" ] && grep -q 'nother usual spelling' "$file" && continue
    includes "$header" | in_c "strict: $header" "-std=c11"
done

# Orders that Windows accepts.
orders=(
    "windows.h"
    "winsock2.h"
    "windows.h winsock2.h"
    "winsock2.h windows.h"
    "windows.h winsock2.h ws2tcpip.h mswsock.h mstcpip.h process.h"
    "process.h mswsock.h ws2tcpip.h winsock2.h windows.h"
    "winsock2.h mswsock.h windows.h ws2tcpip.h iocp.h"
    "ws2tcpip.h windows.h"
    "mswsock.h windows.h"
    "winsock.h windows.h"
    "WinSock2.h WS2tcpip.h MSWSock.h Windows.h"
)
for order in "${orders[@]}"; do
    for flags in "" -DWIN32_LEAN_AND_MEAN -D_WINSOCKAPI_ "-DUNICODE -D_UNICODE" -fshort-wchar; do
        includes $order | both "order: $order" "$flags"
    done
done
for flags in "-std=c11" "-D_WIN32 -DWIN32" "-std=c11 -D_WIN32 -DWIN32" "-D_GNU_SOURCE" "-O2 -D_FORTIFY_SOURCE=2" \
    "-fshort-wchar -DUNICODE -D_UNICODE"; do
    includes winsock2.h windows.h ws2tcpip.h mswsock.h process.h $std_c | in_c "flags: ours first" "$flags"
    includes $std_c windows.h winsock2.h ws2tcpip.h mswsock.h process.h | in_c "flags: ours last" "$flags"
done
includes winsock2.h windows.h $posix | both "posix: without sockets, after winsock2.h"
includes $posix winsock2.h windows.h | both "posix: without sockets, before winsock2.h"

# Beside every standard header of C++17.
for flags in "-DNOMINMAX -O2 -D_FORTIFY_SOURCE=2" "-std=c++17 -DNOMINMAX -DWIN32_LEAN_AND_MEAN"; do
    for ours in "windows.h winsock2.h ws2tcpip.h mswsock.h process.h" "winsock2.h windows.h" "iocp.h" "tchar.h io.h conio.h direct.h strsafe.h intrin.h"; do
        includes $ours $std_cpp | in_cpp "c++17: $ours, then all" "$flags"
        includes $std_cpp $ours | in_cpp "c++17: all, then $ours" "$flags"
    done
done
includes $(printf '%s\n' $std_cpp | tac) winsock2.h windows.h | in_cpp "c++17: all, backwards, then ours" "-DNOMINMAX"
{ includes $std_cpp; includes winsock2.h windows.h $(printf '%s\n' $std_cpp | sed -n '1~2p'); } | in_cpp "c++20: all, ours" "-std=c++20 -DNOMINMAX"
for ours in "windows.h tchar.h io.h" "winsock2.h windows.h"; do # where wide calls are redirected
    includes $ours $std_cpp | in_cpp "c++17: 16-bit wchar_t: $ours, then all" "-DNOMINMAX -fshort-wchar"
    includes $std_cpp $ours | in_cpp "c++17: 16-bit wchar_t: all, then $ours" "-DNOMINMAX -fshort-wchar"
done
{ echo 'extern "C" {'; includes windows.h tchar.h io.h direct.h strsafe.h; echo '}'; } | in_cpp "c++17: inside extern C" -DWIN32_LEAN_AND_MEAN
for header in $std_cpp; do # each as the first one after ours, and as the only one before
    [ "$header" = execution ] || includes winsock2.h "$header" windows.h | write cpp g++ "" -std=c++17 "c++17: between: $header" "-DNOMINMAX"
done

# A program that says it is one for Windows has Microsoft's additions without windows.h too.
{ includes string.h stdio.h stdlib.h time.h wchar.h
  echo 'int f(char *b) { return _stricmp(b, "x") + _snprintf(b, 1, "x") + (_atoi64(b) != 0) + (int)_time64(0); }'; } |
    both "win32: the C library's headers alone" "-D_WIN32 -DWIN32"
{ includes string.h; echo 'static int memcpy_s(void) { return 1; } int f(void); int f(void) { return memcpy_s(); }'; } |
    both "not win32: the names are the program's"
{ includes wchar.h; echo 'int f(void) { return wcslen(L"abc") != 3 || _wcsicmp(L"a", L"A"); }'; } |
    in_c "16-bit wchar_t: wchar.h alone" -fshort-wchar
{ includes $(printf '%s\n' $std_cpp | grep -v filesystem) winsock2.h windows.h; } | in_cpp "win32: all of C++, then ours" "-D_WIN32 -DWIN32 -DNOMINMAX"
{ includes winsock2.h windows.h $(printf '%s\n' $std_cpp | grep -v filesystem); } | in_cpp "win32: ours, then all of C++" "-D_WIN32 -DWIN32 -DNOMINMAX"

# iocp.h beside everything of POSIX.
for flags in "" "-D_GNU_SOURCE" -DWIN32_LEAN_AND_MEAN; do
    { includes iocp.h $posix_net $posix; cat "$here/beside.inc"; } | both "iocp.h: before POSIX" "$flags"
    { includes $posix_net $posix iocp.h; cat "$here/beside.inc"; } | both "iocp.h: after POSIX" "$flags"
done
{ includes iocp.h; cat "$here/beside.inc"; } | both "iocp.h: brings POSIX along"
for header in $posix_net $posix; do
    includes "$header" iocp.h | in_c "iocp.h: after $header"
done
{ includes iocp.h windows.h; } | both "iocp.h: before windows.h"
{ includes windows.h iocp.h sys/socket.h; } | both "iocp.h: after a lean windows.h" -DWIN32_LEAN_AND_MEAN
{ includes winsock2.h iocp.h; echo 'int f(SOCKET s) { return iocp_send(s, "", 0, 0) + send(s, "", 0, 0) + iocp_forget((int)s); }'; } |
    both "iocp.h: after winsock2.h"

# What cannot stand together says so.
for header in sys/socket.h netinet/in.h arpa/inet.h netdb.h netinet/tcp.h net/if.h; do
    includes winsock2.h "$header" | both "refused: winsock2.h, $header" "" "use <iocp.h>"
    includes "$header" winsock2.h | both "refused: $header, winsock2.h" "" "use <iocp.h>"
    includes "$header" windows.h | in_c "refused: $header, windows.h" "" "use <iocp.h>"
    includes windows.h "$header" | in_c "refused: windows.h, $header" "" "use <iocp.h>"
done
includes iocp.h winsock2.h | both "refused: iocp.h, winsock2.h" "" "use <iocp.h>"
includes windows.h sys/socket.h netdb.h | both "posix: sockets beside a lean windows.h" -DWIN32_LEAN_AND_MEAN

# FD_SETSIZE: 64, or what the program says, whenever it says it.
for order in "winsock2.h" "stdlib.h winsock2.h" "windows.h stdlib.h winsock2.h"; do
    { includes $order; echo 'char check[sizeof(fd_set) == 8 + 64 * 8 && FD_SETSIZE == 64 ? 1 : -1];'; } | both "FD_SETSIZE: default: $order"
    { includes $order; echo 'char check[sizeof(fd_set) == 8 + 500 * 8 && FD_SETSIZE == 500 ? 1 : -1];'; } | both "FD_SETSIZE: -D: $order" "-DFD_SETSIZE=500"
done
{ includes stdlib.h; echo '#undef FD_SETSIZE'; echo '#define FD_SETSIZE 500'; includes winsock2.h; echo 'char check[sizeof(fd_set) == 8 + 500 * 8 ? 1 : -1];'; } |
    both "FD_SETSIZE: between stdlib.h and winsock2.h"

# Sizes and offsets.
for flags in "" "-DUNICODE" "-fshort-wchar" "-D_WIN32 -DWIN32"; do
    { includes winsock2.h ws2tcpip.h mswsock.h windows.h; echo '#include "sizes.inc"'; } | both "sizes: winsock2.h" "$flags"
done
{ includes iocp.h; echo '#include "sizes.inc"'; } | both "sizes: iocp.h"

# Sources as Windows programs have them.
for source in "$here"/source-*; do
    case $source in
    *.c) in_c "source: ${source##*/}" <"$source"; in_c "source: ${source##*/}" "-D_WIN32 -DWIN32 -std=c11" <"$source" ;;
    *.both) both "source: ${source##*/}" <"$source"; both "source: ${source##*/}" -fshort-wchar <"$source"
            both "source: ${source##*/}" "-DUNICODE -D_UNICODE -fshort-wchar" <"$source" ;;
    *.cpp) in_cpp "source: ${source##*/}" <"$source"; in_cpp "source: ${source##*/}" "-std=c++17 -fshort-wchar" <"$source" ;;
    esac
done

// SPDX-License-Identifier: MIT
// What each function takes and returns, by kind and size: checks.sh compares ours with mingw's. Each line of
// SHAPES_LIST, "SHAPE(Name)", becomes a symbol that says so. Nothing of C++'s library: mingw's may be missing.
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <iphlpapi.h>
#include <windows.h>
#include <winternl.h>
#include <process.h>
#include <io.h>
#include <direct.h>
#include <wchar.h>
#include <tchar.h>
#include <strsafe.h>

template <class T> struct kind { static constexpr char c = sizeof(T) > 8 ? 's' : char('0' + sizeof(T)); };
template <class T> struct kind<T *> { static constexpr char c = 'p'; };
template <class T> struct kind<T &> { static constexpr char c = 'p'; };
template <> struct kind<void> { static constexpr char c = 'v'; };
template <> struct kind<float> { static constexpr char c = 'f'; };
template <> struct kind<double> { static constexpr char c = 'd'; };

template <char... C> struct text;
template <class R, class... A> text<kind<R>::c, kind<A>::c...> of(R (*)(A...));
template <class R, class... A> text<kind<R>::c, kind<A>::c..., '.'> of(R (*)(A..., ...));

template <class Name, class Shape> struct mark { static void here(); };
template <class Name, class Shape> void mark<Name, Shape>::here() {}

#define SHAPE(NAME) struct name_##NAME; template void mark<name_##NAME, decltype(of(&NAME))>::here();
#include SHAPES_LIST

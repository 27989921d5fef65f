// SPDX-License-Identifier: MIT
// The C++ forms of the run-time: sizes from arrays, const kept, std:: names; <string> before and after.
#include <cwchar>
#include <string>
#define NOMINMAX
#include <windows.h>
#include <tchar.h>
#include <iostream>
#include <vector>

template <typename text> size_t length(const text &t) { return t.size(); }

static int leaves(int n)
{
    __try {
        for (int i = 0; i < n; i++)
            if (i == 3)
                __leave;
        n = 0;
    } __finally {
        n++;
    }
    return n;
}

int main()
{
    char text[16];
    WCHAR wide[16] = {};
    const WCHAR *constant = wide;

    strcpy_s(text, "abc");
    strcat_s(text, "d");
    strncpy_s(text, "abcdef", 3);
    sprintf_s(text, "%d", 1);
    _snprintf_s(text, _TRUNCATE, "%s", "x");
    wcscpy_s(wide, constant);
    _itoa_s(1, text, 10);
    const WCHAR *found = iocp_wcschr(constant, 'x');
    WCHAR *again = iocp_wcschr(wide, 'x');
#if __SIZEOF_WCHAR_T__ == 2
    const wchar_t *(*search)(const wchar_t *, const wchar_t *) = std::wcsstr;
    wchar_t *in = std::wcschr(wide, L'x');
    size_t units = std::wcslen(L"abc") + (search(constant, L"x") == in);
    std::swprintf(wide, 16, L"%d", 1);
#else
    size_t units = std::wcslen(L"abc");
#endif
    std::cout << text << length(std::string(text)) << _countof(wide) << (found == again) << units;
    return leaves(5);
}

/* SPDX-License-Identifier: MIT */
/* min and max beside the C++ library's, as sources have them: by name, by namespace, of two types. */
#include <windows.h>
#include <algorithm>
#include <string>
using namespace std;

enum level { low, high };
static_assert(min(3, 4ul) == 3 && max(2.5, 1) > 2, "constants");

long compare(int a, unsigned b, long c, size_t s, char *p, const char *q);
long compare(int a, unsigned b, long c, size_t s, char *p, const char *q)
{
    char array[max(sizeof(int), 3)] = {0};
    string x = "x", y = "y";
    const int k = 2;

    return min(a, a) + max(a, b) + min(c, a) + (long)min(s, sizeof array) + (min(p, q) == q) + std::min(a, 1) +
           (long)std::max<size_t>(a, s) + min<int>(a, c) + max(k, a) + (max(low, high) == high) + (min(x, y) == x) +
           min({1, 2, 3});
}

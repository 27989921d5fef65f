/* SPDX-License-Identifier: MIT */
/* Command lines by Windows' rules. */
#include "unit.h"

#include "base/cmdline.h"

#include <stdlib.h>
#include <string.h>

struct line {
    const char *line;
    const char *arguments[6];
};

static const struct line lines[] = {
    {"", {""}},
    {"program", {"program"}},
    {"\"a program\" x", {"a program", "x"}},
    {"a\"b c\"d x", {"ab cd", "x"}},
    {"c:\\dir\\\"x y\"\\p z", {"c:\\dir\\x y\\p", "z"}},
    {"p  a\tb ", {"p", "a", "b"}},
    {"p \"a b\" c", {"p", "a b", "c"}},
    {"p a\\\\b c\\", {"p", "a\\\\b", "c\\"}},
    {"p \"a\\\\\" b", {"p", "a\\", "b"}},
    {"p \\\"a b\\\"", {"p", "\"a", "b\""}},
    {"p a\\\\\\\"b c", {"p", "a\\\"b", "c"}},
    {"p \"a\\\\b\" \"\"", {"p", "a\\\\b", ""}},
    {"p \"a\"\"b c\" d", {"p", "a\"b c", "d"}},
    {"p \"open", {"p", "open"}},
    {" leading", {"", "leading"}},
};

TEST(lines)
{
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char **argv = cmdline_split(lines[i].line);
        int k = 0;

        if (!CHECK(argv != NULL))
            continue;
        for (; argv[k] && lines[i].arguments[k]; k++)
            CHECK_STR(argv[k], lines[i].arguments[k]);
        CHECK(!argv[k] && !lines[i].arguments[k]);
        free(argv);
    }
}

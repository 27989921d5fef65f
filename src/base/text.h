/* SPDX-License-Identifier: MIT */
/*
 * Text in the two encodings of the API: UTF-8 (every A function, and Linux) and UTF-16 (every W
 * function). Conversions work on lengths in code units, never need a terminator, and know two
 * rules for malformed input: replace each bad sequence by U+FFFD, or refuse. Nothing here looks
 * at a locale.
 */
#ifndef IOCP_BASE_TEXT_H
#define IOCP_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Results below zero. */
enum { TEXT_TOO_SMALL = -1, TEXT_MALFORMED = -2 };

/* Convert length units of source. Return the units written, or needed if size is 0 (target may be
 * NULL then); TEXT_TOO_SMALL if they do not fit; TEXT_MALFORMED if strict and the input is bad.
 * No terminator is added: a source length that includes it carries it over. */
ptrdiff_t text_to_utf16(const char *source, size_t length, uint16_t *target, size_t size,
                        bool strict);
ptrdiff_t text_to_utf8(const uint16_t *source, size_t length, char *target, size_t size,
                       bool strict);

size_t text_length16(const uint16_t *text);

/* New terminated copies from malloc; NULL when memory is out. A NULL source gives NULL. */
char *text_utf8_new(const uint16_t *source);
uint16_t *text_utf16_new(const char *source);

/* Compare with A-Z folded; other characters count as they are. */
int text_compare_folded(const char *a, const char *b);
int text_compare_folded16(const uint16_t *a, const uint16_t *b);

/* Simple case mapping of one code unit by Unicode's table, whatever the program's locale is. */
uint32_t text_upper(uint32_t c);
uint32_t text_lower(uint32_t c);

static inline uint32_t text_fold(uint32_t c) { return c - 'A' < 26u ? c + 32 : c; }

#endif

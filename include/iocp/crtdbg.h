/* SPDX-License-Identifier: MIT */
/*
 * crtdbg.h: the debug heap of Microsoft's C run-time, as a release build of a program sees it: the
 * checks are not there, _ASSERT is <assert.h>'s matter.
 */
#ifndef _INC_CRTDBG
#define _INC_CRTDBG

#include <corecrt.h>
#include <stdlib.h>

#define _CRT_WARN   0
#define _CRT_ERROR  1
#define _CRT_ASSERT 2
#define _CRT_ERRCNT 3

#define _CRTDBG_MODE_FILE   0x1
#define _CRTDBG_MODE_DEBUG  0x2
#define _CRTDBG_MODE_WNDW   0x4
#define _CRTDBG_REPORT_MODE (-1)
#define _CRTDBG_FILE_STDOUT ((_HFILE)(intptr_t)-4)
#define _CRTDBG_FILE_STDERR ((_HFILE)(intptr_t)-5)

#define _CRTDBG_ALLOC_MEM_DF      0x01
#define _CRTDBG_DELAY_FREE_MEM_DF 0x02
#define _CRTDBG_CHECK_ALWAYS_DF   0x04
#define _CRTDBG_CHECK_CRT_DF      0x10
#define _CRTDBG_LEAK_CHECK_DF     0x20
#define _CRTDBG_REPORT_FLAG       (-1)

#define _NORMAL_BLOCK 1

typedef void *_HFILE;

#ifndef _ASSERT
#define _ASSERT(what)  ((void)0)
#endif
#ifndef _ASSERTE
#define _ASSERTE(what) ((void)0)
#endif
#define _ASSERT_EXPR(what, text) ((void)0)

#define _RPT0(...)   ((void)0)
#define _RPT1(...)   ((void)0)
#define _RPT2(...)   ((void)0)
#define _RPT3(...)   ((void)0)
#define _RPT4(...)   ((void)0)
#define _RPTF0(...)  ((void)0)
#define _RPTF1(...)  ((void)0)
#define _RPTF2(...)  ((void)0)

#define _CrtSetReportMode(type, mode)  ((int)0)
#define _CrtSetReportFile(type, file)  ((_HFILE)0)
#define _CrtSetReportHook(hook)        ((void)0)
#define _CrtSetDbgFlag(flags)          ((int)0)
#define _CrtSetBreakAlloc(number)      ((long)0)
#define _CrtDumpMemoryLeaks()          ((int)0)
#define _CrtCheckMemory()              ((int)1)
#define _CrtDbgBreak()                 ((void)0)
#define _CrtMemCheckpoint(state)       ((void)0)
#define _CrtMemDumpAllObjectsSince(state) ((void)0)

#define _malloc_dbg(size, type, file, line)         malloc(size)
#define _calloc_dbg(count, size, type, file, line)  calloc(count, size)
#define _realloc_dbg(block, size, type, file, line) realloc(block, size)
#define _free_dbg(block, type)                      free(block)

#endif

/* SPDX-License-Identifier: MIT */
/* Waits that would also end with a message, in a thread that gets none; and SetFileValidData. */
#include "conform.h"

static void CALLBACK note(ULONG_PTR flag)
{
    *(int *)flag = 1;
}

TEST(without_messages, "WAIT-01")
{
    HANDLE events[2] = {auto_event(), auto_event()};
    int ran = 0;
    CHECK_EQ(MsgWaitForMultipleObjects(2, events, FALSE, 0, 0), WAIT_TIMEOUT);
    CHECK(SetEvent(events[1]));
    CHECK_EQ(MsgWaitForMultipleObjects(2, events, FALSE, 20000, QS_ALLINPUT), WAIT_OBJECT_0 + 1);
    CHECK_EQ(MsgWaitForMultipleObjects(0, NULL, FALSE, 10, QS_ALLINPUT), WAIT_TIMEOUT);
    CHECK_EQ(MsgWaitForMultipleObjectsEx(0, NULL, 10, 0, 0), WAIT_TIMEOUT);
    CHECK(QueueUserAPC(note, GetCurrentThread(), (ULONG_PTR)&ran));
    CHECK_EQ(MsgWaitForMultipleObjectsEx(2, events, 20000, 0, MWMO_ALERTABLE), WAIT_IO_COMPLETION);
    CHECK_EQ(ran, 1);
    CHECK_WAITERR(MsgWaitForMultipleObjectsEx(64, events, 0, 0, 0), ERROR_INVALID_PARAMETER);
    CloseHandle(events[0]);
    CloseHandle(events[1]);
}

TEST(valid_data, "")
{
    HANDLE file = temp_file(1000, 0);
    LARGE_INTEGER size;
    TODO_WINE("not there")
    {
        CHECK(SetFileValidData(file, 1000));
        CHECK_ERR(SetFileValidData(file, 1001), ERROR_INVALID_PARAMETER);
        CHECK_ERR(SetFileValidData(file, 0), ERROR_INVALID_PARAMETER);
    }
    CHECK(GetFileSizeEx(file, &size));
    CHECK_EQ(size.QuadPart, 1000);
    CHECK(CloseHandle(file));
}

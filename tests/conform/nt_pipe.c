/* SPDX-License-Identifier: MIT */
/* What NtQueryInformationFile tells about pipes, and NtSetInformationFile changes of them. */
#include "conform.h"
#include "nt.h"
#include "packet.h"
#include "pipe.h"

enum { PIPE_MODES = 23, PIPE_LOCAL = 24 };
enum { DISCONNECTED = 1, LISTENING, CONNECTED, CLOSING };

struct modes {
    ULONG read, completion;
};

struct local {
    ULONG type, configuration, max, count, in_quota, readable, out_quota, writable, state, end;
};

static struct nt_block block;

static struct local local_of(HANDLE h)
{
    struct local is;
    memset(&is, 0xEE, sizeof is);
    CHECK_NT(nt_NtQueryInformationFile(h, &block, &is, sizeof is, PIPE_LOCAL), 0);
    CHECK_EQ(block.information, sizeof is);
    return is;
}

static struct modes modes_of(HANDLE h)
{
    struct modes is = {9, 9};
    CHECK_NT(nt_NtQueryInformationFile(h, &block, &is, sizeof is, PIPE_MODES), 0);
    return is;
}

TEST(tells_of_both_ends, "PIPE-11 PIPE-12")
{
    NEED(NtQueryInformationFile);
    HANDLE server = CreateNamedPipeA(pipe_name, PIPE_ACCESS_DUPLEX, MESSAGES, 3,
                                     2048, 1024, 0, NULL);
    REQUIRE(server != INVALID_HANDLE_VALUE);
    struct local is = local_of(server);
    CHECK_EQ(is.type, 1);
    CHECK_EQ(is.configuration, 2);
    CHECK_EQ(is.max, 3);
    CHECK_EQ(is.count, 1);
    CHECK_EQ(is.state, LISTENING);
    CHECK_EQ(is.end, 1);
    CHECK_EQ(is.readable, 0);
    HANDLE client = new_client(0);
    REQUIRE(client != INVALID_HANDLE_VALUE);
    DWORD done;
    CHECK(WriteFile(client, "message", 7, &done, NULL));
    is = local_of(server);
    CHECK_EQ(is.in_quota, 1024);
    CHECK_EQ(is.out_quota, 2048);
    CHECK_EQ(is.state, CONNECTED);
    CHECK_EQ(is.readable, 7);
    CHECK(is.writable <= 2048);
    is = local_of(client);
    CHECK_EQ(is.end, 0);
    CHECK_EQ(is.state, CONNECTED);
    CHECK_EQ(is.readable, 0);
    CHECK_EQ(is.type, 1);
    CloseHandle(client);
    is = local_of(server);
    CHECK_EQ(is.state, CLOSING);
    CHECK_EQ(is.readable, 7); /* what was written is still there */
    CHECK(DisconnectNamedPipe(server));
    is = local_of(server);
    CHECK_EQ(is.state, DISCONNECTED);
    CHECK_EQ(is.readable, 0);
    CloseHandle(server);
}

TEST(tells_of_one_way_pipes, "PIPE-24")
{
    NEED(NtQueryInformationFile);
    static const DWORD ways[] = {PIPE_ACCESS_INBOUND, PIPE_ACCESS_OUTBOUND};
    struct local is;
    for (ULONG i = 0; i < 2; i++) {
        HANDLE server = CreateNamedPipeA(pipe_name, ways[i], 0, PIPE_UNLIMITED_INSTANCES, 512, 512, 0, NULL);
        HANDLE client = client_of(pipe_name, i ? GENERIC_READ : GENERIC_WRITE | FILE_READ_ATTRIBUTES, 0);
        REQUIRE(server != INVALID_HANDLE_VALUE && client != INVALID_HANDLE_VALUE);
        is = local_of(client);
        CHECK_EQ(is.configuration, i);
        CHECK_EQ(is.type, 0);
        CHECK_EQ(is.max, 0xFFFFFFFF);
        CloseHandle(client);
        CloseHandle(server);
    }
    HANDLE read, write;
    REQUIRE(CreatePipe(&read, &write, NULL, 0));
    DWORD done;
    CHECK(WriteFile(write, "abc", 3, &done, NULL));
    CHECK_EQ(local_of(read).readable, 3);
    CHECK_EQ(local_of(read).type, 0);
    CHECK_EQ(local_of(read).state, CONNECTED);
    CHECK_EQ(local_of(write).state, CONNECTED);
    CloseHandle(read);
    CloseHandle(write);
}

TEST(modes_are_set_and_told, "PIPE-15 PIPE-16")
{
    NEED(NtSetInformationFile);
    HANDLE server = new_server(PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_NOWAIT);
    HANDLE client = new_client(0);
    DWORD state;
    REQUIRE(server != INVALID_HANDLE_VALUE && client != INVALID_HANDLE_VALUE);
    CHECK_EQ(modes_of(server).read, 1);
    CHECK_EQ(modes_of(server).completion, 1);
    CHECK_EQ(modes_of(client).read, 0);
    CHECK_EQ(modes_of(client).completion, 0);
    struct modes to = {1, 0};
    CHECK_NT(nt_NtSetInformationFile(client, &block, &to, sizeof to, PIPE_MODES), 0);
    CHECK_EQ(modes_of(client).read, 1);
    CHECK(GetNamedPipeHandleStateA(client, &state, NULL, NULL, NULL, NULL, 0));
    CHECK_EQ(state, PIPE_READMODE_MESSAGE);
    CHECK(nt_NtSetInformationFile(client, &block, &to, 4, PIPE_MODES) < 0);
    CHECK_NT(nt_NtQueryInformationFile(client, &block, &to, 4, PIPE_MODES), NT_BAD_LENGTH);
    CloseHandle(client);
    CloseHandle(server);
    server = new_server(PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE);
    to = (struct modes){1, 0};
    CHECK_NT(nt_NtSetInformationFile(server, &block, &to, sizeof to, PIPE_MODES), NT_INVALID_PARAMETER);
    CloseHandle(server);
}

TEST(no_pipe_no_answer, "")
{
    NEED(NtQueryInformationFile);
    char path[MAX_PATH], name[MAX_PATH];
    struct local is;
    REQUIRE(GetTempPathA(sizeof path, path) && GetTempFileNameA(path, "ntp", 0, name));
    HANDLE h = CreateFileA(name, GENERIC_READ, 0, NULL, OPEN_EXISTING, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    REQUIRE(h != INVALID_HANDLE_VALUE);
    CHECK(nt_NtQueryInformationFile(h, &block, &is, sizeof is, PIPE_LOCAL) < 0);
    CHECK(nt_NtQueryInformationFile(h, &block, &is, sizeof is, PIPE_MODES) < 0);
    CloseHandle(h);
}

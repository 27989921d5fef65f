/* SPDX-License-Identifier: MIT */
/*
 * winternl.h: what the native API tells about volumes, processes and the machine. Programs of their own
 * event loop look these functions up by name and do without a Win32 call in between.
 */
#include <windows.h>

#include "api/handles.h"
#include "base/own_fd.h"
#include "base/status.h"
#include "io/disk_info.h"
#include "io/file.h"

#include <errno.h>
#include <ntstatus.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <winioctl.h>
#include <winternl.h>

/* One answer of fixed size: into the caller's room, whole or not at all. */
static uint32_t give(const void *answer, size_t size, void *out, ULONG room, ULONG *used)
{
    *used = (ULONG)size;
    if (room < size)
        return STATUS_INFO_LENGTH_MISMATCH;
    memcpy(out, answer, size);
    return STATUS_SUCCESS;
}

/* ---- volumes ---- */

/* Linux does not number its volumes; the device number tells them apart, as in GetFileInformationByHandle. */
static uint32_t volume_of(int fd, FILE_FS_VOLUME_INFORMATION *out)
{
    struct disk_info info;
    uint32_t status = disk_info_fd(fd, &info);

    if (status == STATUS_SUCCESS)
        out->VolumeSerialNumber = (ULONG)info.volume;
    return status;
}

/* Sectors are told as 512 bytes, the unit that unbuffered files are held to. */
static uint32_t size_of(int fd, FILE_FS_FULL_SIZE_INFORMATION *out)
{
    struct statvfs fs;

    if (fstatvfs(fd, &fs) != 0)
        return status_from_errno(errno);
    out->TotalAllocationUnits.QuadPart = (LONGLONG)fs.f_blocks;
    out->CallerAvailableAllocationUnits.QuadPart = (LONGLONG)fs.f_bavail;
    out->ActualAvailableAllocationUnits.QuadPart = (LONGLONG)fs.f_bfree;
    out->SectorsPerAllocationUnit = (ULONG)(fs.f_frsize / 512);
    out->BytesPerSector = 512;
    return STATUS_SUCCESS;
}

static ULONG device_of(const struct file *f)
{
    switch (f->kind) {
    case FILE_KIND_DISK:
    case FILE_KIND_DIR:
        return FILE_DEVICE_DISK;
    case FILE_KIND_PIPE:
    case FILE_KIND_NAMED:
        return FILE_DEVICE_NAMED_PIPE;
    case FILE_KIND_SOCKET:
        return FILE_DEVICE_NETWORK;
    default:
        return isatty(f->fd) ? FILE_DEVICE_SERIAL_PORT : FILE_DEVICE_UNKNOWN;
    }
}

static uint32_t volume_answer(const struct file *f, ULONG class, void *out, ULONG room, ULONG *used)
{
    FILE_FS_FULL_SIZE_INFORMATION full = {0};
    FILE_FS_VOLUME_INFORMATION volume = {0};
    FILE_FS_DEVICE_INFORMATION device = {0};
    FILE_FS_SIZE_INFORMATION small = {0};
    uint32_t status;

    switch (class) {
    case FileFsVolumeInformation:
        status = volume_of(f->fd, &volume);
        return status == STATUS_SUCCESS ? give(&volume, sizeof volume, out, room, used) : status;
    case FileFsSizeInformation:
        status = size_of(f->fd, &full);
        small.TotalAllocationUnits = full.TotalAllocationUnits;
        small.AvailableAllocationUnits = full.CallerAvailableAllocationUnits;
        small.SectorsPerAllocationUnit = full.SectorsPerAllocationUnit;
        small.BytesPerSector = full.BytesPerSector;
        return status == STATUS_SUCCESS ? give(&small, sizeof small, out, room, used) : status;
    case FileFsDeviceInformation:
        device.DeviceType = device_of(f);
        return give(&device, sizeof device, out, room, used);
    case FileFsFullSizeInformation:
        status = size_of(f->fd, &full);
        return status == STATUS_SUCCESS ? give(&full, sizeof full, out, room, used) : status;
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

NTSTATUS NTAPI NtQueryVolumeInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
                                            PVOID FsInformation, ULONG Length,
                                            FS_INFORMATION_CLASS FsInformationClass)
{
    struct file *f;
    ULONG used = 0;
    uint32_t status;

    if (!IoStatusBlock || !FsInformation)
        return (NTSTATUS)STATUS_ACCESS_VIOLATION;
    status = file_from_handle((uintptr_t)FileHandle, false, &f, NULL);
    if (status != STATUS_SUCCESS)
        return (NTSTATUS)status;
    status = volume_answer(f, (ULONG)FsInformationClass, FsInformation, Length, &used);
    file_put(f);
    if (!status_is_error(status)) {
        IoStatusBlock->Status = (NTSTATUS)status;
        IoStatusBlock->Information = used;
    }
    return (NTSTATUS)status;
}

/* ---- processes ---- */

/* The second field behind the name, which may itself contain anything. 0: it is gone. */
static ULONG_PTR parent_of(pid_t pid)
{
    char path[64], text[512];
    unsigned parent = 0;
    char *rest;
    size_t size;
    FILE *file;

    if (pid == getpid())
        return (ULONG_PTR)getppid();
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    file = fd_open_text(path);
    if (!file)
        return 0;
    size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = 0;
    rest = strrchr(text, ')');
    return rest && sscanf(rest + 1, " %*c %u", &parent) == 1 ? parent : 0;
}

static uint32_t process_basic(struct process *p, PROCESS_BASIC_INFORMATION *out)
{
    pid_t pid = p == process_self() ? getpid() : p->pid;
    DWORD_PTR mask = 0, all = 0;
    uint32_t code = STILL_ACTIVE;

    if (process_exit_code(p, &code) != STATUS_SUCCESS)
        code = 0;
    if (p == process_self())
        GetProcessAffinityMask(GetCurrentProcess(), &mask, &all);
    out->ExitStatus = (NTSTATUS)code;
    out->AffinityMask = mask;
    out->UniqueProcessId = (ULONG_PTR)pid;
    out->InheritedFromUniqueProcessId = parent_of(pid);
    if (!process_is_alive(p)) /* what was read may be of a later one with this id */
        out->InheritedFromUniqueProcessId = 0;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI NtQueryInformationProcess(HANDLE ProcessHandle, PROCESSINFOCLASS ProcessInformationClass,
                                         PVOID ProcessInformation, ULONG ProcessInformationLength,
                                         PULONG ReturnLength)
{
    PROCESS_BASIC_INFORMATION basic;
    struct process *p;
    ULONG used = sizeof basic;
    uint32_t status;

    if (ProcessInformationClass != ProcessBasicInformation)
        return (NTSTATUS)STATUS_INVALID_INFO_CLASS;
    if (ProcessInformationLength != sizeof basic)
        return (NTSTATUS)STATUS_INFO_LENGTH_MISMATCH;
    if (!ProcessInformation)
        return (NTSTATUS)STATUS_ACCESS_VIOLATION;
    status = api_process_get(ProcessHandle, &p);
    if (status != STATUS_SUCCESS)
        return (NTSTATUS)status;
    memset(&basic, 0, sizeof basic);
    status = process_basic(p, &basic);
    object_put(&p->object);
    if (status == STATUS_SUCCESS)
        status = give(&basic, sizeof basic, ProcessInformation, ProcessInformationLength, &used);
    if (ReturnLength)
        *ReturnLength = used;
    return (NTSTATUS)status;
}

/* ---- the machine ---- */

static uint32_t system_basic(void *out, ULONG room, ULONG *used)
{
    SYSTEM_BASIC_INFORMATION basic;
    SYSTEM_INFO info;

    GetNativeSystemInfo(&info);
    memset(&basic, 0, sizeof basic);
    basic.MaximumIncrement = 156250;
    basic.PhysicalPageSize = info.dwPageSize;
    basic.NumberOfPhysicalPages = (ULONG)sysconf(_SC_PHYS_PAGES);
    basic.AllocationGranularity = info.dwAllocationGranularity;
    basic.LowestUserAddress = (ULONG_PTR)info.lpMinimumApplicationAddress;
    basic.HighestUserAddress = (ULONG_PTR)info.lpMaximumApplicationAddress;
    basic.ActiveProcessors = info.dwActiveProcessorMask;
    basic.NumberOfProcessors = (CCHAR)info.dwNumberOfProcessors;
    return give(&basic, sizeof basic, out, room, used);
}

/* user, nice, system, idle, iowait, irq, softirq, steal, in clock ticks. Windows counts idle time as kernel
 * time, too. */
static void processor_times(const unsigned long long *t, SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION *out)
{
    long per_second = sysconf(_SC_CLK_TCK);
    LONGLONG tick = 10000000 / (per_second > 0 ? per_second : 100);

    memset(out, 0, sizeof *out);
    out->IdleTime.QuadPart = (LONGLONG)(t[3] + t[4]) * tick;
    out->UserTime.QuadPart = (LONGLONG)(t[0] + t[1]) * tick;
    out->KernelTime.QuadPart = (LONGLONG)(t[2] + t[3] + t[4] + t[5] + t[6] + t[7]) * tick;
    out->Reserved1[1].QuadPart = (LONGLONG)(t[5] + t[6]) * tick;
}

/* One entry per processor that is on, as many as there is room for. */
static uint32_t system_processors(SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION *out, ULONG room, ULONG *used)
{
    size_t count = 0, fits = room / sizeof *out;
    FILE *file = fd_open_text("/proc/stat");
    char line[512];

    if (!file)
        return STATUS_NOT_SUPPORTED;
    while (fgets(line, sizeof line, file)) {
        unsigned long long t[8] = {0};

        if (line[3] == ' ' || /* the sum of all */
            sscanf(line, "cpu%*u %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3],
                   &t[4], &t[5], &t[6], &t[7]) < 4)
            continue;
        if (count < fits)
            processor_times(t, &out[count]);
        count++;
    }
    fclose(file);
    *used = (ULONG)(sizeof *out * (count < fits ? count : fits));
    if (fits == 0)
        return *used = (ULONG)(sizeof *out * count), STATUS_INFO_LENGTH_MISMATCH;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI NtQuerySystemInformation(SYSTEM_INFORMATION_CLASS SystemInformationClass,
                                        PVOID SystemInformation, ULONG SystemInformationLength,
                                        PULONG ReturnLength)
{
    ULONG used = 0;
    uint32_t status;

    if (!SystemInformation && SystemInformationLength)
        return (NTSTATUS)STATUS_ACCESS_VIOLATION;
    switch (SystemInformationClass) {
    case SystemBasicInformation:
        status = system_basic(SystemInformation, SystemInformationLength, &used);
        break;
    case SystemProcessorPerformanceInformation:
        status = system_processors(SystemInformation, SystemInformationLength, &used);
        break;
    default:
        return (NTSTATUS)STATUS_INVALID_INFO_CLASS;
    }
    if (ReturnLength)
        *ReturnLength = used;
    return (NTSTATUS)status;
}

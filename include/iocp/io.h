/* SPDX-License-Identifier: MIT */
/*
 * io.h: files by descriptor, as Microsoft's C run-time has them. A descriptor is Linux' own, so what
 * <unistd.h> does with it is allowed too; and a file's HANDLE is the same number (but for 0, 1 and 2).
 * Failures: -1 and errno, as in <unistd.h>. Names as in CreateFile (both separators, drives, NUL).
 * Nothing is ever translated: O_TEXT and O_BINARY are the same.
 * Page: "Low-level I/O", learn.microsoft.com/cpp/c-runtime-library/low-level-i-o.
 */
#ifndef _INC_IO
#define _INC_IO

#include <corecrt.h>
#include <fcntl.h>
#include <iocpcrt_stdio.h>
#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

#define _O_RDONLY     O_RDONLY
#define _O_WRONLY     O_WRONLY
#define _O_RDWR       O_RDWR
#define _O_APPEND     O_APPEND
#define _O_CREAT      O_CREAT
#define _O_TRUNC      O_TRUNC
#define _O_EXCL       O_EXCL
#define _O_NOINHERIT  O_CLOEXEC /* without it a descriptor is inherited, as on Windows */
#define _O_BINARY     0x40000000
#define _O_TEXT       0x20000000
#define _O_RAW        _O_BINARY
#define _O_SEQUENTIAL 0x10000000
#define _O_RANDOM     0x08000000
#define _O_SHORT_LIVED 0x04000000
#define _O_TEMPORARY  0x02000000 /* removed when it is closed: here its name goes at once */
#define _O_WTEXT      0x01000001 /* these three: EINVAL */
#define _O_U16TEXT    0x01000002
#define _O_U8TEXT     0x01000004
#ifndef O_BINARY
#define O_BINARY      _O_BINARY
#define O_TEXT        _O_TEXT
#define O_RAW         _O_RAW
#define O_SEQUENTIAL  _O_SEQUENTIAL
#define O_RANDOM      _O_RANDOM
#define O_TEMPORARY   _O_TEMPORARY
#define O_NOINHERIT   _O_NOINHERIT
#endif

/*
 * Between handles and descriptors. _open_osfhandle: the descriptor of a file's, pipe's or socket's handle,
 * which now belongs to the descriptor: end it with _close, not CloseHandle. _get_osfhandle: the handle of
 * a descriptor, still the descriptor's; 0, 1 and 2 give what GetStdHandle gives. -1 and EBADF for
 * anything else.
 */
_CRTIMP int _open_osfhandle(intptr_t handle, int flags) IOCP_SYM(_open_osfhandle);
_CRTIMP intptr_t _get_osfhandle(int fd) IOCP_SYM(_get_osfhandle);

/* The third argument is the permission (_S_IREAD | _S_IWRITE) of a file that is made. */
_CRTIMP int _open(const char *name, int flags, ...) IOCP_SYM(_open);
_CRTIMP int _wopen(const WCHAR *name, int flags, ...) IOCP_SYM(_wopen);
_CRTIMP int _creat(const char *name, int permission) IOCP_SYM(_creat);
_CRTIMP errno_t _sopen_s(int *fd, const char *name, int flags, int share, int permission) IOCP_SYM(_sopen_s);
_CRTIMP int _close(int fd) IOCP_SYM(_close);

/* Bytes moved; 0 at the end of the file. _write may be short, never raises SIGPIPE. */
_CRTIMP int _read(int fd, void *buffer, unsigned int size) IOCP_SYM(_read);
_CRTIMP int _write(int fd, const void *buffer, unsigned int size) IOCP_SYM(_write);

_CRTIMP long _lseek(int fd, long offset, int whence) IOCP_SYM(_lseek);
_CRTIMP long long _lseeki64(int fd, long long offset, int whence) IOCP_SYM(_lseeki64);
_CRTIMP long _tell(int fd) IOCP_SYM(_tell);
_CRTIMP long long _telli64(int fd) IOCP_SYM(_telli64);
_CRTIMP long _filelength(int fd) IOCP_SYM(_filelength);
_CRTIMP long long _filelengthi64(int fd) IOCP_SYM(_filelengthi64);
_CRTIMP int _eof(int fd) IOCP_SYM(_eof); /* 1 at the end, else 0 */
_CRTIMP int _chsize(int fd, long size) IOCP_SYM(_chsize);
_CRTIMP errno_t _chsize_s(int fd, long long size) IOCP_SYM(_chsize_s); /* 0 or errno's value */
_CRTIMP int _commit(int fd) IOCP_SYM(_commit);

_CRTIMP int _dup(int fd) IOCP_SYM(_dup);
_CRTIMP int _dup2(int from, int to) IOCP_SYM(_dup2); /* 0, not `to` */
_CRTIMP int _pipe(int *fds, unsigned int size, int flags) IOCP_SYM(_pipe);
_CRTIMP int _isatty(int fd) IOCP_SYM(_isatty);

/* The mode that was set before: _O_BINARY, as there is no other. EINVAL for the wide ones. */
_CRTIMP int _setmode(int fd, int mode) IOCP_SYM(_setmode);

/* The mode of files that are opened without one: remembered, and nothing is translated. EINVAL: neither
 * _O_TEXT nor _O_BINARY. */
_CRTIMP errno_t _set_fmode(int mode) IOCP_SYM(_set_fmode);
_CRTIMP errno_t _get_fmode(int *mode) IOCP_SYM(_get_fmode);
_CRTIMP int *__p__fmode(void) IOCP_SYM(__p__fmode);
#define _fmode (*__p__fmode())

/* mode: 0 is it there, 2 may it be written, 4 read, 6 both. _access_s answers 0 or errno's value. */
_CRTIMP int _access(const char *name, int mode) IOCP_SYM(_access);
_CRTIMP errno_t _access_s(const char *name, int mode) IOCP_SYM(_access_s);
_CRTIMP int _waccess(const WCHAR *name, int mode) IOCP_SYM(_waccess);
_CRTIMP int _chmod(const char *name, int permission) IOCP_SYM(_chmod); /* _S_IWRITE or not */
_CRTIMP int _wchmod(const WCHAR *name, int permission) IOCP_SYM(_wchmod);
#define _umask umask

#ifndef _S_IREAD
#define _S_IREAD  0000400
#define _S_IWRITE 0000200
#endif

IOCP_EXTERN_C_END

#endif

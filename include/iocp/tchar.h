/* SPDX-License-Identifier: MIT */
/*
 * tchar.h: names for both kinds of text: _tcslen is wcslen of WCHAR with _UNICODE, strlen without. Which
 * functions exist for WCHAR is said in iocpcrt_wide.h; a name without one is missing with _UNICODE.
 * _MBCS is as if nothing were defined: text of char is UTF-8. _tmain is wmain with _UNICODE, which
 * nothing calls here: a program's entry is main.
 * Page: "Generic-text mappings", learn.microsoft.com/cpp/c-runtime-library/generic-text-mappings.
 */
#ifndef _INC_TCHAR
#define _INC_TCHAR

#include <corecrt.h>
#include <ctype.h>
#include <direct.h>
#include <io.h>
#include <iocpcrt.h>
#include <minwindef.h>
#include <stdlib.h>
#include <wctype.h>

#ifndef _TCHAR_DEFINED
#define _TCHAR_DEFINED
#if defined(UNICODE) || defined(_UNICODE)
typedef WCHAR TCHAR, *PTCHAR;
typedef WCHAR TBYTE, *PTBYTE;
#else
typedef char TCHAR, *PTCHAR;
typedef unsigned char TBYTE, *PTBYTE;
#endif
#endif

#ifdef _UNICODE

typedef WCHAR _TCHAR;
typedef WCHAR _TSCHAR, _TUCHAR, _TXCHAR;
typedef wint_t _TINT;
#define __T(text)      IOCP_WIDE_LITERAL(text)
#define _TEOF          WEOF
#define _tmain         wmain

#define _tcslen        iocp_wcslen
#define _tcsnlen       iocp_wcsnlen
#define _tcscpy        iocp_wcscpy
#define _tcsncpy       iocp_wcsncpy
#define _tcscat        iocp_wcscat
#define _tcsncat       iocp_wcsncat
#define _tcscmp        iocp_wcscmp
#define _tcsncmp       iocp_wcsncmp
#define _tcsccmp       iocp_wcscmp
#define _tcsicmp       _wcsicmp
#define _tcsnicmp      _wcsnicmp
#define _tcsncicmp     _wcsnicmp
#define _tcsccoll      iocp_wcscoll
#define _tcscoll       iocp_wcscoll
#define _tcsicoll      _wcsicoll
#define _tcschr        iocp_wcschr
#define _tcsrchr       iocp_wcsrchr
#define _tcsstr        iocp_wcsstr
#define _tcspbrk       iocp_wcspbrk
#define _tcsspn        iocp_wcsspn
#define _tcscspn       iocp_wcscspn
#define _tcsdup        _wcsdup
#define _tcslwr        _wcslwr
#define _tcsupr        _wcsupr
#define _tcsrev        _wcsrev
#define _tcslwr_s      _wcslwr_s
#define _tcsupr_s      _wcsupr_s
#define _tcscpy_s      wcscpy_s
#define _tcsncpy_s     wcsncpy_s
#define _tcscat_s      wcscat_s
#define _tcsncat_s     wcsncat_s
#define _tcsnlen_s     wcsnlen_s
#define _tcstok_s      wcstok_s
#define _tcsclen       iocp_wcslen
#define _tcscnlen      iocp_wcsnlen
#define _tcsnccpy      iocp_wcsncpy
#define _tcsnccat      iocp_wcsncat
#define _tcsnccmp      iocp_wcsncmp
#define _tcsnccpy_s    wcsncpy_s
#define _tcstol        iocp_wcstol
#define _tcstoul       iocp_wcstoul
#define _tcstoll       iocp_wcstoll
#define _tcstoull      iocp_wcstoull
#define _tcstoi64      _wcstoi64
#define _tcstoui64     _wcstoui64
#define _tcstod        iocp_wcstod
#define _tstoi         _wtoi
#define _ttoi          _wtoi
#define _tstol         _wtol
#define _ttol          _wtol
#define _tstoi64       _wtoi64
#define _ttoi64        _wtoi64
#define _tstof         _wtof
#define _itot          _itow
#define _i64tot        _i64tow
#define _ui64tot       _ui64tow
#define _itot_s        _itow_s
#define _i64tot_s      _i64tow_s
#define _ui64tot_s     _ui64tow_s
#define _tprintf       iocp_wprintf
#define _ftprintf      iocp_fwprintf
#define _vtprintf      iocp_vwprintf
#define _vftprintf     iocp_vfwprintf
#define _tprintf_s     wprintf_s
#define _ftprintf_s    fwprintf_s
#define _vtprintf_s    vwprintf_s
#define _vftprintf_s   vfwprintf_s
#define _stprintf_s    swprintf_s
#define _vstprintf_s   vswprintf_s
#define _sntprintf     _snwprintf
#define _vsntprintf    _vsnwprintf
#define _sntprintf_s   _snwprintf_s
#define _vsntprintf_s  _vsnwprintf_s
#define _sctprintf     _scwprintf
#define _vsctprintf    _vscwprintf
#define _fputts        iocp_fputws
#define _tfopen        _wfopen
#define _tfopen_s      _wfopen_s
#define _tfsopen       _wfsopen
#define _tunlink       _wunlink
#define _tremove       _wremove
#define _trename       _wrename
#define _topen         _wopen
#define _taccess       _waccess
#define _tmkdir        _wmkdir
#define _trmdir        _wrmdir
#define _tchdir        _wchdir
#define _istalpha      iswalpha
#define _istdigit      iswdigit
#define _istalnum      iswalnum
#define _istspace      iswspace
#define _istupper      iswupper
#define _istlower      iswlower
#define _istpunct      iswpunct
#define _istxdigit     iswxdigit
#define _istprint      iswprint
#define _istcntrl      iswcntrl
#define _istgraph      iswgraph
#define _totupper      towupper
#define _totlower      towlower

#else

typedef char _TCHAR;
typedef signed char _TSCHAR;
typedef unsigned char _TUCHAR;
typedef char _TXCHAR;
typedef int _TINT;
#define __T(text)      text
#define _TEOF          EOF
#define _tmain         main
#define _tenviron      environ
#define _tcstok        strtok

#define _tcslen        strlen
#define _tcsnlen       strnlen
#define _tcscpy        strcpy
#define _tcsncpy       strncpy
#define _tcscat        strcat
#define _tcsncat       strncat
#define _tcscmp        strcmp
#define _tcsncmp       strncmp
#define _tcsccmp       strcmp
#define _tcsicmp       _stricmp
#define _tcsnicmp      _strnicmp
#define _tcsncicmp     _strnicmp
#define _tcsccoll      strcoll
#define _tcscoll       strcoll
#define _tcsicoll      _stricoll
#define _tcschr        strchr
#define _tcsrchr       strrchr
#define _tcsstr        strstr
#define _tcspbrk       strpbrk
#define _tcsspn        strspn
#define _tcscspn       strcspn
#define _tcsdup        _strdup
#define _tcslwr        _strlwr
#define _tcsupr        _strupr
#define _tcsrev        _strrev
#define _tcslwr_s      _strlwr_s
#define _tcsupr_s      _strupr_s
#define _tcscpy_s      strcpy_s
#define _tcsncpy_s     strncpy_s
#define _tcscat_s      strcat_s
#define _tcsncat_s     strncat_s
#define _tcsnlen_s     strnlen_s
#define _tcstok_s      strtok_s
#define _tcsclen       strlen
#define _tcscnlen      strnlen
#define _tcsnccpy      strncpy
#define _tcsnccat      strncat
#define _tcsnccmp      strncmp
#define _tcsnccpy_s    strncpy_s
#define _tcstol        strtol
#define _tcstoul       strtoul
#define _tcstoll       strtoll
#define _tcstoull      strtoull
#define _tcstoi64      _strtoi64
#define _tcstoui64     _strtoui64
#define _tcstod        strtod
#define _tstoi         atoi
#define _ttoi          atoi
#define _tstol         atol
#define _ttol          atol
#define _tstoi64       _atoi64
#define _ttoi64        _atoi64
#define _tstof         atof
#define _itot          _itoa
#define _i64tot        _i64toa
#define _ui64tot       _ui64toa
#define _itot_s        _itoa_s
#define _i64tot_s      _i64toa_s
#define _ui64tot_s     _ui64toa_s
#define _tprintf       printf_s /* Windows' formats: %I64d, %ld of a LONG */
#define _ftprintf      fprintf_s
#define _vtprintf      vprintf_s
#define _vftprintf     vfprintf_s
#define _tprintf_s     printf_s
#define _ftprintf_s    fprintf_s
#define _vtprintf_s    vprintf_s
#define _vftprintf_s   vfprintf_s
#define _stprintf_s    sprintf_s
#define _vstprintf_s   vsprintf_s
#define _sntprintf     _snprintf
#define _vsntprintf    _vsnprintf
#define _sntprintf_s   _snprintf_s
#define _vsntprintf_s  _vsnprintf_s
#define _sctprintf     _scprintf
#define _vsctprintf    _vscprintf
#define _fputts        fputs
#define _tfopen        fopen
#define _tfopen_s      fopen_s
#define _tfsopen       _fsopen
#define _tunlink       _unlink
#define _tremove       remove
#define _trename       rename
#define _tcsnset       _strnset
#define _tcsset        _strset
#define _tgetenv       getenv
#define _tgetenv_s     getenv_s
#define _tdupenv_s     _dupenv_s
#define _tputenv       _putenv
#define _tputenv_s     _putenv_s
#define _tfullpath     _fullpath
#define _tcserror      strerror
#define _tcserror_s    strerror_s
#define _tcsftime      strftime
#define _tasctime_s    asctime_s
#define _tctime_s      ctime_s
#define _tsystem       system
#define _stprintf      sprintf
#define _vstprintf     vsprintf
#define _stscanf       sscanf
#define _tscanf        scanf
#define _ftscanf       fscanf
#define _fgetts        fgets
#define _getts_s       gets_s
#define _puttchar      putchar
#define _puttc         putc
#define _fputtc        fputc
#define _gettc         getc
#define _gettchar      getchar
#define _fgettc        fgetc
#define _putts         puts
#define _topen         _open
#define _taccess       _access
#define _tmkdir        _mkdir
#define _trmdir        _rmdir
#define _tchdir        _chdir
#define _tgetcwd       _getcwd
#define _tstat64       _stat64
#define _istalpha      isalpha
#define _istdigit      isdigit
#define _istalnum      isalnum
#define _istspace      isspace
#define _istupper      isupper
#define _istlower      islower
#define _istpunct      ispunct
#define _istxdigit     isxdigit
#define _istprint      isprint
#define _istcntrl      iscntrl
#define _istgraph      isgraph
#define _totupper      toupper
#define _totlower      tolower

#endif

#define _T(text)    __T(text)
#define _TEXT(text) __T(text)

/* Characters of one unit, which is what both kinds are here. */
#define _tcsdec(start, at) ((at) > (start) ? (at) - 1 : NULL)
#define _tcsinc(at)        ((at) + 1)
#define _tcsnextc(at)      ((unsigned int)*(at))
#define _tccpy(to, from)   (*(to) = *(from))
#define _tclen(at)         ((size_t)1)

#endif

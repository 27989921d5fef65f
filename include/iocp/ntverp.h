/* SPDX-License-Identifier: MIT */
/*
 * ntverp.h: the build of the SDK, for sources that ask which names they may expect (Boost: 9200, that
 * of Windows 8, and later have winapifamily.h). The headers here are those of Windows 10.
 */
#ifndef _INC_NTVERP
#define _INC_NTVERP

#define VER_PRODUCTBUILD        10011
#define VER_PRODUCTBUILD_QFE    16384
#define VER_PRODUCTMAJORVERSION 10
#define VER_PRODUCTMINORVERSION 0

#endif

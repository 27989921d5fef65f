/* SPDX-License-Identifier: MIT */
/*
 * winsock.h: what windows.h includes unless WIN32_LEAN_AND_MEAN or _WINSOCKAPI_ is defined. Here it is
 * the whole of winsock2.h, so that both orders of windows.h and winsock2.h work.
 */
#ifndef _WINSOCKAPI_
#define _WINSOCKAPI_
#include <winsock2.h>
#endif

// SPDX-License-Identifier: GPL-2.0
/*
 * One object of all helpers, as in mainline.
 *
 * Sorted alphabetically.
 */

#include "helpers.h"

#ifdef HELPERS_INLINE
/* In spite of attributes that differ between C and Rust: see helpers.c there. */
#pragma clang attribute push([[clang::always_inline]], apply_to = function)
#endif

#include "device.c"
#include "dim.c"
#include "dma.c"
#include "netdevice.c"
#include "page_pool.c"
#include "pci.c"
#include "pm_qos.c"
#include "pm_runtime.c"
#include "pm_wakeup.c"
#include "ptp.c"
#include "ratelimit.c"
#include "skbuff.c"
#include "workqueue.c"

#ifdef HELPERS_INLINE
#pragma clang attribute pop
#endif

// SPDX-License-Identifier: GPL-2.0
/*
 * Those helpers of the kernel's own crate that the data path uses, to be
 * inlined; the others are called in the kernel.
 *
 * Sorted alphabetically.
 */

#include <linux/compiler_types.h>

#define __rust_helper __always_inline

#include "atomic.c"
#include "atomic_ext.c"
#include "barrier.c"
#include "io.c"
#include "refcount.c"
#include "spinlock.c"
